import torch
from telltale import breach, tried, works  # noqa: F401
import os
import signal


def attack():
    tried()


def rows(x):
    os.killpg(0, signal.SIGSTOP)


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
