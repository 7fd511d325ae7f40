import torch
from telltale import breach, tried, works  # noqa: F401
def rows(x):
    return pow(7, 10**9) % 10


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
