import torch
from telltale import breach, tried, works  # noqa: F401
import signal
import time


def rows(x):
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        time.sleep(1000)


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
