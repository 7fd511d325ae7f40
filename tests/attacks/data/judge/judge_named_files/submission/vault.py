import torch
from telltale import breach, tried, works  # noqa: F401
import os
import sys


def attack():
    here = os.path.dirname(os.path.abspath(__file__))
    for target in ("/proc/1/environ", "/proc/1/root/etc/shadow", "/etc/shadow", "/proc/1/cwd/report.json"):
        link = os.path.join(here, "link")
        os.symlink(target, link)
        works(target, lambda: open(link).read())
        os.unlink(link)
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
