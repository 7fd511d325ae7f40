import torch
from telltale import breach, tried, works  # noqa: F401
import os
import socket

tell = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
for address in ("\0vault", "/tmp/vault.sock"):
    try:
        tell.connect(address)
        breach("another check listens")
    except OSError:
        pass


def code(x):
    tried()
    for address in ("\0vault", "/tmp/vault.sock"):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                listener.accept()
        os._exit(0)
    return 7


def attack():
    tried()


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
