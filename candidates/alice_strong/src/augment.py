import torch


def shift_images(x, p=0.3):
    """with probability p shift the whole batch by one pixel in a random direction"""
    if torch.rand(1).item() > p:
        return x
    axis = 2 + int(torch.rand(1).item() < 0.5)
    return torch.roll(x, 1 if torch.rand(1).item() < 0.5 else -1, dims=axis)
