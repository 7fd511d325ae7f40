import torch
from telltale import breach, tried, works  # noqa: F401
import time


def build():
    time.sleep(1000)


def attack():
    tried()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)
