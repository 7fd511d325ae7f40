import torch
from telltale import breach, tried, works  # noqa: F401
import itertools

KINDS = itertools.cycle([torch.tensor(0), torch.zeros(1), torch.zeros(0, 4), torch.zeros(1, 4), torch.zeros(4, 3)])


def rows(x):
    tried()
    return next(KINDS).to(torch.int64)


def code(x):
    tried()
    return torch.empty(0, dtype=torch.int64)


def attack():
    tried()


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
