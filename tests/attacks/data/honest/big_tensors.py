import torch


def main():
    x = torch.rand(4000, 4000)
    assert torch.isfinite(x.sum())
    return torch.ones(500, 500)
