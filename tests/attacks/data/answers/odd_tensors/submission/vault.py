import torch
from telltale import breach, tried, works  # noqa: F401
def rows(x):
    tried()
    return torch.ones(1, dtype=torch.int64).expand(10**6, 10**6)


def code(x):
    tried()
    return torch.zeros(3, 4).to_sparse()


class Built:
    def code(self, x):
        tried()
        return torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8)


def build():
    return Built()


def attack():
    tried()
