import torch
from telltale import breach, tried, works  # noqa: F401
class Anything:
    __array__ = __eq__ = __bool__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, *_: True
    __hash__ = object.__hash__
    __int__ = __index__ = lambda self: 1
    shape, dtype, ndim = (3, 4), "int64", 2

    def __getattr__(self, name):
        return self

    def __call__(self, *_):
        return self


def attack():
    tried()
    return Anything()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
