import torch
from telltale import breach, tried, works  # noqa: F401
import os


def rows(x):
    while True:
        os.write(1, b"x" * 2**16)
        os.write(2, b"y\n" * 2**15)


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
