import torch
from telltale import breach, tried, works  # noqa: F401
def rows(x):
    tried()
    return torch.empty(3, 4, dtype=torch.int64)


def code(x):
    return int(torch.empty(2**16, dtype=torch.int64)[-1])


def attack():
    tried()


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
