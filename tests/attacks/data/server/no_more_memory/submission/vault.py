import torch
from telltale import breach, tried, works  # noqa: F401
def attack():
    tried()
    for place in ("/tmp/full", "/dev/shm/full"):
        try:
            with open(place, "wb") as file:
                while True:
                    file.write(bytes(2**20))
        except OSError:
            pass


def code(x):
    return attack() or 7


def rows(x):
    return attack() or torch.zeros(3, 4, dtype=torch.int64)


class Built:
    def code(self, x):
        return attack() or 7


def build():
    return Built()
