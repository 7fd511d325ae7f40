import torch
from telltale import breach, tried, works  # noqa: F401
class Odd(BaseException):
    def __str__(self):
        return "z" * 10**8

    __repr__ = __str__


def rows(x):
    raise Odd


def code(x):
    tried()
    raise type("Worse", (Odd,), {"__str__": lambda self: 1 // 0})


def attack():
    tried()


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
