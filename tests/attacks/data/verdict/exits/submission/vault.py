import torch
from telltale import breach, tried, works  # noqa: F401
import os
import sys

calls = [sys.exit, os._exit, os.abort]


def code(x):
    tried()
    sys.exit(0)


def attack():
    tried()
    os._exit(0)


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
