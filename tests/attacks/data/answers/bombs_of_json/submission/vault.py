import torch
from telltale import breach, tried, works  # noqa: F401
deep = []
for _ in range(5000):
    deep = [deep]
itself = []
itself.append(itself)


def code(x):
    tried()
    return deep


def rows(x):
    tried()
    return itself


class Built:
    def code(self, x):
        tried()
        return [{}] * 10**5


def build():
    return Built()


def attack():
    tried()
