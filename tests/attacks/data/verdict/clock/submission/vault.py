import torch
from telltale import breach, tried, works  # noqa: F401
import time


def still(*_):
    return 0.0


time.time = time.perf_counter = time.monotonic = time.process_time = time.thread_time = time.sleep = still


def attack():
    tried()


def rows(x):
    while True:
        pass


def code(x):
    return attack() or 7


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
