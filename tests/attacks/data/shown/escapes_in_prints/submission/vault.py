import torch
from telltale import breach, tried, works  # noqa: F401
import os

TEXT = "\x1b[2J\x1b[31mPASSED\x1b]8;;https://evil.example\x07click\x1b]8;;\x07\x1b]52;c;aGFjaw==\x07\x07\x9b31m\u202egnp.exe\u200b\x00\ud800"


def attack():
    tried()
    print(TEXT)
    os.write(1, TEXT.encode("utf-8", "surrogatepass") + b"\xff\xfe\x00")


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
