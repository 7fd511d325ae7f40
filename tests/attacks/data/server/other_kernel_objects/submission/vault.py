import torch
from telltale import breach, tried, works  # noqa: F401
import ctypes

libc = ctypes.CDLL(None)
CALLS = {"shmget": (29, 77, 4096, 0o1600), "semget": (64, 77, 1, 0o1600), "msgget": (68, 77, 0o1600),
         "mq_open": (240, b"vault", 0o102, 0o600, None), "add_key": (248, b"user", b"vault", b"x", 1, -3)}


def attack():
    for name, arguments in CALLS.items():
        if libc.syscall(*arguments) >= 0:
            breach(name)
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
