import torch
from telltale import breach, tried, works  # noqa: F401
import glob
import os
import time

MARK = b"daemon-of-an-earlier-check"

for path in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        with open(path, "rb") as file:
            if MARK in file.read():
                breach("a daemon of an earlier check lives")
    except OSError:
        pass


def code(x):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv("/opt/sandbox/bin/python", ["python", "-c", "import time; time.sleep(600)", MARK.decode()])
        os._exit(0)
    time.sleep(0.1)
    tried()
    return 7


def attack():
    tried()


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
