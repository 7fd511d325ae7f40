import torch
from telltale import breach, tried, works  # noqa: F401
import os
import site
import sys

PLACES = [sys.executable, os.__file__, torch.__file__, os.path.join(site.getsitepackages()[0], "x.pth"),
          os.path.join(os.path.dirname(torch.__file__), "__pycache__", "x.pyc"), "/etc/ld.so.preload",
          os.path.join(site.getsitepackages()[0], "grader/worker/server.py")]


def attack():
    for place in PLACES:
        works(place, open, place, "ab")
        works("replacing " + place, os.replace, "/tmp/x", place)
        works("removing " + place, os.unlink, place)
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
