import torch
from telltale import breach, tried, works  # noqa: F401
def rows(x):
    tried()
    return torch.full((3, 4), float("nan"))


def code(x):
    tried()
    return float("inf")


class Built:
    def code(self, x):
        tried()
        return True


def build():
    return Built()


def attack():
    tried()
