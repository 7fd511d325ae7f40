import torch
from telltale import breach, tried, works  # noqa: F401
def rows(x):
    tried()
    x.zero_() if hasattr(x, "zero_") else None
    return x * 0


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
