import torch
from telltale import breach, tried, works  # noqa: F401
import ctypes
import os

libc = ctypes.CDLL(None)


def read(path):
    with open(path, "rb") as file:
        return file.read(16)


def write(path):
    with open(path, "wb", 0) as file:
        return file.write(b"1")


def attack():
    for name in ("mem", "maps", "environ", "auxv", "stack", "syscall", "pagemap", "io", "clear_refs"):
        works(f"/proc/1/{name}", read, f"/proc/1/{name}")
    for name in ("fd", "map_files", "task/1/fd", "fdinfo"):
        works(f"/proc/1/{name}", os.listdir, f"/proc/1/{name}")
    for name in ("mem", "oom_score_adj", "comm", "coredump_filter", "timerslack_ns", "autogroup"):
        works(f"writing /proc/1/{name}", write, f"/proc/1/{name}")
    for call in ((16, 1), (0x4206, 1), (0x4207, 1)):
        if libc.ptrace(*call, None, None) == 0:
            breach("ptrace")
    buffer = ctypes.create_string_buffer(64)
    for number in (310, 311):
        if libc.syscall(number, 1, buffer, 1, buffer, 1, 0) >= 0:
            breach("process_vm")
    descriptor = libc.syscall(434, 1, 0)
    if descriptor >= 0 and libc.syscall(438, descriptor, 512, 0) >= 0:
        breach("pidfd_getfd")
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
