"""An encoder-decoder Transformer in one file, top to bottom: attention, heads, layers, training, decoding.

One convention runs through all of it: a mask is boolean and True means "may attend". Masks are built in one place,
`Transformer.forward`, and broadcast from there. Layers are pre-norm, as in GPT: the residual stream stays untouched.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def attention(q, k, v, mask=None):
    """Scaled dot-product attention. q (B, H, Tq, dk), k (B, H, Tk, dk), v (B, H, Tk, dv), mask True = may attend."""
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))  # (B, H, Tq, Tk)
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(dim=-1)  # each query's weights over the keys add up to one
    return weights @ v, weights  # (B, H, Tq, dv), (B, H, Tq, Tk)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        assert d_model % n_heads == 0
        self.n_heads = n_heads
        self.to_q = nn.Linear(d_model, d_model)
        self.to_k = nn.Linear(d_model, d_model)
        self.to_v = nn.Linear(d_model, d_model)
        self.out = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(dropout)

    def split(self, x: Tensor) -> Tensor:  # (B, T, d_model) -> (B, H, T, d_head)
        B, T, _ = x.shape
        return x.view(B, T, self.n_heads, -1).transpose(1, 2)

    def merge(self, x: Tensor) -> Tensor:  # (B, H, T, d_head) -> (B, T, d_model)
        B, _, T, _ = x.shape
        return x.transpose(1, 2).reshape(B, T, -1)

    def forward(self, query, key, value, mask=None):  # (B, Tq, D), (B, Tk, D), (B, Tk, D), (B, Tq, Tk)
        q, k, v = self.split(self.to_q(query)), self.split(self.to_k(key)), self.split(self.to_v(value))
        mask = mask.unsqueeze(1) if mask is not None else None  # (B, 1, Tq, Tk): the same for every head
        mixed, _ = attention(q, k, v, mask)
        return self.dropout(self.out(self.merge(mixed)))  # (B, Tq, D)


def build_mha(d_model: int, n_heads: int, dropout: float = 0.0) -> nn.Module:
    return MultiHeadAttention(d_model, n_heads, dropout)


class FeedForward(nn.Sequential):
    def __init__(self, d_model: int, d_ff: int, dropout: float) -> None:
        super().__init__(nn.Linear(d_model, d_ff), nn.ReLU(), nn.Linear(d_ff, d_model), nn.Dropout(dropout))


class EncoderLayer(nn.Module):
    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.self_attention = build_mha(d_model, n_heads, dropout)
        self.feed_forward = FeedForward(d_model, d_ff, dropout)

    def forward(self, x: Tensor, src_mask: Tensor) -> Tensor:  # (B, S, D), (B, 1, S)
        y = self.norm1(x)
        x = x + self.self_attention(y, y, y, src_mask)
        return x + self.feed_forward(self.norm2(x))


class DecoderLayer(nn.Module):
    def __init__(self, d_model: int, n_heads: int, d_ff: int, dropout: float) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(d_model) for _ in range(3))
        self.self_attention = build_mha(d_model, n_heads, dropout)
        self.cross_attention = build_mha(d_model, n_heads, dropout)
        self.feed_forward = FeedForward(d_model, d_ff, dropout)

    def forward(self, x, memory, src_mask, tgt_mask):  # (B, T, D), (B, S, D), (B, 1, S), (B, T, T)
        y = self.norm1(x)
        x = x + self.self_attention(y, y, y, tgt_mask)
        x = x + self.cross_attention(self.norm2(x), memory, memory, src_mask)
        return x + self.feed_forward(self.norm3(x))


def sinusoids(length: int, d_model: int) -> Tensor:  # (length, D)
    position = torch.arange(length).unsqueeze(1)
    rate = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
    return torch.stack([torch.sin(position * rate), torch.cos(position * rate)], dim=-1).flatten(1)


class Transformer(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
        super().__init__()
        self.pad_id, self.scale = pad_id, math.sqrt(d_model)
        self.src_embedding = nn.Embedding(src_vocab, d_model)
        self.tgt_embedding = nn.Embedding(tgt_vocab, d_model)
        self.register_buffer("positions", sinusoids(max_len, d_model))
        self.dropout = nn.Dropout(dropout)
        size = (d_model, n_heads, d_ff, dropout)
        self.encoder = nn.ModuleList([EncoderLayer(*size) for _ in range(n_layers)])
        self.decoder = nn.ModuleList([DecoderLayer(*size) for _ in range(n_layers)])
        self.encoder_norm, self.decoder_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, tgt_vocab)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def embed(self, tokens: Tensor, embedding: nn.Embedding) -> Tensor:  # (B, T) -> (B, T, D)
        return self.dropout(embedding(tokens) * self.scale + self.positions[: tokens.size(1)])

    def encode(self, src: Tensor, src_mask: Tensor) -> Tensor:  # (B, S) -> (B, S, D)
        x = self.embed(src, self.src_embedding)
        for layer in self.encoder:
            x = layer(x, src_mask)
        return self.encoder_norm(x)

    def decode(self, tgt, memory, src_mask, tgt_mask):  # (B, T) -> (B, T, D)
        x = self.embed(tgt, self.tgt_embedding)
        for layer in self.decoder:
            x = layer(x, memory, src_mask, tgt_mask)
        return self.decoder_norm(x)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:  # (B, S), (B, T) -> (B, T, tgt_vocab)
        T = tgt.size(1)
        causal = torch.ones(T, T, dtype=torch.bool, device=tgt.device).tril()  # row t sees 0 .. t
        src_mask = (src != self.pad_id).unsqueeze(1)  # (B, 1, S): no query sees a padded key
        tgt_mask = (tgt != self.pad_id).unsqueeze(1) & causal  # (B, T, T)
        memory = self.encode(src, src_mask)
        return self.head(self.decode(tgt, memory, src_mask, tgt_mask))


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    """Teacher forcing: at each position the decoder is given the right tokens before it. Adam with a warm-up."""
    torch.manual_seed(seed)
    model.to(device).train()
    src, tgt_in, tgt_out = src.to(device), tgt_in.to(device), tgt_out.to(device)  # (N, S), (N, T), (N, T)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, betas=(0.9, 0.98))
    warmup = max(1, steps // 20)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, max(0.02, (steps - step) / (steps - warmup + 1)))
    )
    losses = []
    for _ in range(steps):
        batch = torch.randint(len(src), (batch_size,), device=device)
        logits = model(src[batch], tgt_in[batch])  # (B, T, tgt_vocab)
        loss = F.cross_entropy(logits.flatten(0, 1), tgt_out[batch].flatten(), ignore_index=model.pad_id)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return {"loss": losses}


@torch.no_grad()
def greedy_decode(model, src, bos_id, max_len):
    """The most probable next token, again and again. (B, S) -> (B, max_len), without BOS."""
    model.eval()
    src = src.to(next(model.parameters()).device)
    tokens = torch.full((len(src), 1), bos_id, dtype=torch.long, device=src.device)
    for _ in range(max_len):
        best = model(src, tokens)[:, -1].argmax(dim=-1, keepdim=True)  # (B, 1)
        tokens = torch.cat([tokens, best], dim=1)
    return tokens[:, 1:].cpu()
