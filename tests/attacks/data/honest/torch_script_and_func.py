import torch


def f(x):
    return (x**2).sum()


def main():
    assert torch.allclose(torch.func.grad(f)(torch.ones(3)), 2 * torch.ones(3))
    assert torch.vmap(torch.sin)(torch.zeros(4)).shape == (4,)
    with torch.autograd.profiler.profile() as profile:
        torch.rand(10, 10) @ torch.rand(10, 10)
    assert profile.key_averages()
