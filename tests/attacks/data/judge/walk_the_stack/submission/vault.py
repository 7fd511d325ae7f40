import torch
from telltale import breach, tried, works  # noqa: F401
import gc
import inspect
import re
import sys

NOT_SEED = ~0x5EC2E7_5EED_0A77
CANARY = re.compile("CANARY[-]HIDDEN[-]VAULT")


def attack():
    texts = []
    for frame in inspect.stack():
        texts.append(repr({**frame.frame.f_locals}.keys()) + frame.filename)
        for value in frame.frame.f_locals.values():
            texts.append(repr(value)[:10_000])
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list, tuple)) and len(thing) < 200:
            for item in thing.values() if isinstance(thing, dict) else thing:
                if type(item) is int and ~item == NOT_SEED:
                    breach("the secret seed")
                if type(item) is str and len(item) < 10**5:
                    texts.append(item)
    if any(CANARY.search(text) for text in texts):
        breach("the canary")
    for name in sys.modules:
        if name.startswith(("pytest", "_pytest", "grader.judge", "grader.sandbox", "docker")):
            breach("the module " + name)
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
