import torch


class Built:
    def code(self, x):
        return 7


def code(x):
    return 7


def rows(x):
    return torch.zeros(3, 4, dtype=torch.int64)


def build():
    return Built()
