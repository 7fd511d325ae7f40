import torch
from telltale import breach, tried, works  # noqa: F401
import os


def attack():
    tried()
    for number in range(2, 40):
        try:
            os.makedirs(f"/tmp/s{number}", exist_ok=True)
            os.symlink("/etc", f"/tmp/s{number}/submission")
            os.symlink("/", f"/tmp/s{number}/tmp")
        except OSError:
            pass


if os.path.islink(os.path.dirname(os.path.abspath(__file__))):
    breach("a folder that an earlier check made")


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
