import torch
from telltale import breach, tried, works  # noqa: F401
import threading
import time


def forever():
    while True:
        print("late", flush=True)
        time.sleep(0.01)


def attack():
    tried()
    for _ in range(4):
        threading.Thread(target=forever, daemon=True).start()


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
