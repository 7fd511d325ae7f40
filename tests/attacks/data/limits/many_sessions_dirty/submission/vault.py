import torch
from telltale import breach, tried, works  # noqa: F401
import os


def code(x):
    tried()
    os.chdir("/tmp")
    try:
        for _ in range(600):
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        os.chmod(".", 0)
    except OSError:
        pass
    return 7


def attack():
    tried()


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
