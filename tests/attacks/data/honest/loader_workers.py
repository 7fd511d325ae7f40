import torch
from torch.utils.data import DataLoader, TensorDataset


def main():
    data = TensorDataset(torch.rand(128, 3, 8, 8), torch.arange(128))
    loader = DataLoader(data, batch_size=16, num_workers=2, shuffle=True, persistent_workers=True)
    assert sum(len(labels) for _ in range(2) for _, labels in loader) == 256
