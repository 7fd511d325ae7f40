import torch
from telltale import breach, tried, works  # noqa: F401
import os


def attack():
    tried()
    if os.read(0, 100):
        breach("bytes of the protocol")
    for stream in (input,):
        try:
            stream()
            breach("a line of the protocol")
        except EOFError:
            pass


def rows(x):
    for descriptor in range(3, 64):
        try:
            os.read(descriptor, 2**16)
        except OSError:
            pass


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
