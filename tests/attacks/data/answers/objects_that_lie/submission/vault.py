import torch
from telltale import breach, tried, works  # noqa: F401
class Liar:
    count = 0

    def __getattribute__(self, name):
        Liar.count += 1
        if name == "code":
            tried()
            return lambda x: [x, str(x), None, {}, Liar][Liar.count % 5]
        if Liar.count % 3:
            raise AttributeError(name)
        return object.__getattribute__(self, name)

    def __del__(self):
        raise RuntimeError("no end")


def build():
    return Liar()


def attack():
    tried()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)
