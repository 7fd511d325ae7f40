import torch
from einops import rearrange, reduce, repeat


def main():
    x = rearrange(torch.rand(2, 3, 8, 8), "b c (h p) (w q) -> b (h w) (p q c)", p=4, q=4)
    assert reduce(repeat(x, "b n d -> b r n d", r=2), "b r n d -> b", "mean").shape == (2,)
