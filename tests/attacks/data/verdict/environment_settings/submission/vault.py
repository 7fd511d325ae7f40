import torch
from telltale import breach, tried, works  # noqa: F401
import os

SETTINGS = {
    "PYTEST_ADDOPTS": "--collect-only", "PYTEST_PLUGINS": "vault", "PYTHONPATH": "/tmp", "PYTHONSTARTUP": "/tmp/x.py",
    "LD_PRELOAD": "/tmp/x.so", "GRADER_BACKEND": "process", "PYTHONINSPECT": "1", "PYTHONWARNINGS": "error",
}


def attack():
    os.environ.update(SETTINGS)
    for name in SETTINGS:
        os.putenv(name, SETTINGS[name])
    tried()


def code(x):
    if "PYTEST_ADDOPTS" in os.environ:
        breach("the variables of another check")
    attack()
    return 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
