import torch
from telltale import breach, tried, works  # noqa: F401
import importlib
import os
import shutil
from importlib import metadata


def attack():
    for name in ("git", "gcc", "cc", "make", "curl", "wget", "ssh", "docker", "gdb", "strace", "sudo"):
        if shutil.which(name):
            breach("the program " + name)
    for name in ("grader.judge", "grader.sandbox", "grader.written", "grader.task", "docker", "pytest", "sklearn", "pip"):
        try:
            importlib.import_module(name)
            breach("the module " + name)
        except ImportError:
            pass
    for item in metadata.distributions():
        if item.metadata["Name"] in ("grader", "pytest", "docker"):
            breach(item.metadata["Name"])
    for path in ("/.dockerenv", "/wheels", "/root", "/home", "/context"):
        if os.path.isdir(path) and os.access(path, os.R_OK) and os.listdir(path):
            breach(path)
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
