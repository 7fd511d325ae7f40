import torch
from telltale import breach, tried, works  # noqa: F401
import itertools
import unittest


class Skipped(BaseException):
    pass


class Exit(BaseException):
    returncode = 0


Skipped.__module__, Exit.__module__ = "_pytest.outcomes", "_pytest.outcomes"
kinds = itertools.cycle((Skipped, Exit, unittest.SkipTest, KeyboardInterrupt, GeneratorExit, AssertionError))
for number in range(int(__import__("time").time()) % 6):
    next(kinds)


def attack():
    tried()
    raise next(kinds)("passed")


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
