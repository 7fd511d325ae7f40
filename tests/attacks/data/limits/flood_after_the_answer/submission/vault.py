import torch
from telltale import breach, tried, works  # noqa: F401
import os
import threading


def flood():
    while True:
        os.write(1, b"x" * 2**16)


def rows(x):
    threading.Thread(target=flood, daemon=True).start()
    return 7


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
