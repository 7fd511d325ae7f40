import torch
from telltale import breach, tried, works  # noqa: F401
import ctypes
import os
import signal

libc = ctypes.CDLL(None)


def attack():
    for number in range(1, 65):
        for pid in (1, os.getppid()):
            works(f"signal {number} to {pid}", os.kill, pid, number)
    for number in (1, 15, 9, 19):
        if libc.syscall(234, 1, 1, number) == 0 or libc.syscall(129, 1, number, 0) == 0:
            breach(f"signal {number} by another call")
    tried()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
