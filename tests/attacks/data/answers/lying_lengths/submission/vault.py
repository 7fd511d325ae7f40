import torch
from frames import say
from telltale import breach, tried, works  # noqa: F401
import os


def code(x):
    tried()
    say(b"{}", json_bytes=2**32 - 1)
    os._exit(0)


def rows(x):
    tried()
    say(b"{}", body_bytes=2**63)
    os._exit(0)


def attack():
    tried()
    say(b"{}", body_bytes=2**25)
    os._exit(0)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
