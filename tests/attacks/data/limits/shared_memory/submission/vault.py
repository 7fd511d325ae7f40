import torch
from telltale import breach, tried, works  # noqa: F401
import mmap
import os


def rows(x):
    for number in range(100):
        descriptor = os.open(f"/dev/shm/{number}", os.O_CREAT | os.O_RDWR)
        os.ftruncate(descriptor, 2**24)
        kept = mmap.mmap(descriptor, 2**24)
        kept.write(b"x" * 2**24)


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
