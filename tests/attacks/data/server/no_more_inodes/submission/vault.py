import torch
from telltale import breach, tried, works  # noqa: F401
def attack():
    tried()
    try:
        for number in range(10**6):
            open(f"/tmp/{number}", "w").close()
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
