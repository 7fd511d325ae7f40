import torch
from einops import einsum, rearrange
from torch import nn


def attention(q, k, v, mask=None):
    energy = einsum(q, k, "b h i d, b h j d -> b h i j") / q.shape[-1] ** 0.5
    if mask is not None:
        energy = energy.masked_fill(mask == 0, -1e10)
    weights = torch.softmax(energy, dim=-1)
    return einsum(weights, v, "b h i j, b h j d -> b h i d"), weights


class MultiHead(nn.Module):
    def __init__(self, hid_dim, n_heads, dropout):
        super().__init__()
        self.n_heads = n_heads
        self.fc_q = nn.Linear(hid_dim, hid_dim)
        self.fc_k = nn.Linear(hid_dim, hid_dim)
        self.fc_v = nn.Linear(hid_dim, hid_dim)
        self.fc_o = nn.Linear(hid_dim, hid_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query, key, value, mask=None):
        q, k, v = (
            rearrange(layer(x), "b t (h d) -> b h t d", h=self.n_heads)
            for layer, x in ((self.fc_q, query), (self.fc_k, key), (self.fc_v, value))
        )
        if mask is not None:
            mask = rearrange(mask, "b i j -> b 1 i j")
        x, weights = attention(q, k, v, mask)
        return self.dropout(self.fc_o(rearrange(x, "b h t d -> b t (h d)"))), weights
