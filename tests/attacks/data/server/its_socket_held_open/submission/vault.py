import torch
from telltale import breach, tried, works  # noqa: F401
import os
import time


def attack():
    tried()
    for _ in range(4):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                while True:
                    for descriptor in range(3, 64):
                        try:
                            os.write(descriptor, b"GRDR" * 64)
                        except OSError:
                            pass
                    time.sleep(0.001)
            os._exit(0)
    time.sleep(0.05)


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
