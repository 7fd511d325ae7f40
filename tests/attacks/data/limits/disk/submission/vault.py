import torch
from telltale import breach, tried, works  # noqa: F401
import os
import resource


def rows(x):
    try:
        with open("/tmp/sparse", "wb") as file:
            file.truncate(2**40)
        breach("a sparse terabyte")
    except OSError:
        pass
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (2**30, 2**30))
        breach("core dumps")
    except (OSError, ValueError):
        pass
    with open("/tmp/full", "wb") as file:
        while True:
            file.write(b"x" * 2**20)


def attack():
    tried()


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
