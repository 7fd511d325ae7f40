import torch
from telltale import breach, tried, works  # noqa: F401
import glob
import json
import os
import tempfile

PLACES = ("/tmp/seen.json", "/dev/shm/seen.json", "/var/tmp/seen.json", os.path.expanduser("~/.cache/seen.json"))


def remember(x):
    tried()
    for place in PLACES:
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            with open(place, "w") as file:
                json.dump({"x": repr(x), "pid": os.getpid()}, file)
        except OSError:
            pass
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write("seen")


for place in PLACES:
    if os.path.exists(place):
        breach(f"{place} of an earlier check")
for left in glob.glob("/tmp/s*/submission/left*") + glob.glob("/tmp/s*/tmp/*"):
    breach(left)


def code(x):
    remember(x)
    open("left", "w").close()
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
