import torch


def main():
    torch.nn.Conv2d(3, 16, 3)(torch.rand(4, 3, 32, 32)).mean().backward()
    q = torch.rand(2, 4, 16, 8)
    torch.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True)
    torch.nn.TransformerEncoderLayer(32, 4, batch_first=True)(torch.rand(2, 5, 32))
