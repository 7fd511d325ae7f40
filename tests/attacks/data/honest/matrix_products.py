import torch


def main():
    x = torch.rand(300, 300, dtype=torch.float64)
    assert torch.allclose(x @ torch.linalg.inv(x), torch.eye(300, dtype=torch.float64), atol=1e-5)
