import torch
from frames import SOCKETS, watch
from telltale import breach, tried, works  # noqa: F401
import struct
import time


def rows(x):
    data = struct.pack(">4sBBHQIQ", b"GRDR", 1, 3, 0, watch(__import__("sys")._getframe()), 2**19, 0)
    for byte in data + b" " * 2**19:
        for sock in SOCKETS:
            try:
                sock.send(bytes([byte]))
            except OSError:
                pass
        time.sleep(0.2)


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
