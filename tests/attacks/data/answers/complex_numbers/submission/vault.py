import torch
from telltale import breach, tried, works  # noqa: F401
def rows(x):
    tried()
    return torch.zeros(3, 4, dtype=torch.complex64)


def code(x):
    tried()
    return complex(7, 0)


def attack():
    tried()


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
