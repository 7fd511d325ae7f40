"""LLaMA manners in an encoder-decoder: RMSNorm, rotary positions, SwiGLU, no biases, tied head, a KV cache to decode."""
import torch
import torch.nn.functional as F
from torch import nn


def attention(q, k, v, mask=None):
    att = (q @ k.mT) * (1.0 / q.size(-1) ** 0.5)
    if mask is not None:
        att = att.masked_fill(mask.logical_not(), -torch.inf)
    att = att.softmax(-1)
    return att @ v, att


def rotate(x, start=0):  # x: B H T dk
    half = x.size(-1) // 2
    freq = 10000 ** (-torch.arange(half, device=x.device) / half)
    angle = torch.arange(start, start + x.size(2), device=x.device)[:, None] * freq
    a, b = x[..., :half], x[..., half : 2 * half]
    turned = torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)
    return torch.cat([turned, x[..., 2 * half :]], -1)


class Attention(nn.Module):
    def __init__(self, dim, heads, dropout=0.0, rotary=False):
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.wq = nn.Linear(dim, dim, bias=False)
        self.wkv = nn.Linear(dim, 2 * dim, bias=False)
        self.wo = nn.Linear(dim, dim, bias=False)
        self.drop = nn.Dropout(dropout)

    def _heads(self, x):
        B, T, D = x.shape
        return x.reshape(B, T, self.heads, D // self.heads).permute(0, 2, 1, 3)

    def forward(self, query, key, value=None, mask=None, cache=None):
        q = self._heads(self.wq(query))
        if value is None or value is key:
            k, v = (self._heads(t) for t in self.wkv(key).chunk(2, -1))
        else:
            wk, wv = self.wkv.weight.chunk(2, 0)
            k, v = self._heads(F.linear(key, wk)), self._heads(F.linear(value, wv))
        start = 0
        if cache is not None:
            start = cache["k"].size(2) if cache else 0
        if self.rotary:
            q, k = rotate(q, start), rotate(k, start)
        if cache is not None:
            if cache:
                k, v = torch.cat([cache["k"], k], 2), torch.cat([cache["v"], v], 2)
            cache["k"], cache["v"] = k, v
        y, _ = attention(q, k, v, None if mask is None else mask[:, None])
        return self.drop(self.wo(y.permute(0, 2, 1, 3).flatten(2)))


def build_mha(d_model, n_heads, dropout=0.0):
    return Attention(d_model, n_heads, dropout)


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.w = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return self.w * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


class SwiGLU(nn.Module):
    def __init__(self, dim, hidden, p):
        super().__init__()
        self.up, self.gate = nn.Linear(dim, hidden, bias=False), nn.Linear(dim, hidden, bias=False)
        self.down, self.drop = nn.Linear(hidden, dim, bias=False), nn.Dropout(p)

    def forward(self, x):
        return self.drop(self.down(F.silu(self.gate(x)) * self.up(x)))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, p, cross):
        super().__init__()
        self.n1, self.att = RMSNorm(dim), Attention(dim, heads, p, rotary=True)
        self.n2, self.ffn = RMSNorm(dim), SwiGLU(dim, hidden, p)
        if cross:
            self.nc, self.cross = RMSNorm(dim), Attention(dim, heads, p)

    def forward(self, x, mask, memory=None, memory_mask=None, cache=None):
        h = self.n1(x)
        x = x + self.att(h, h, h, mask, cache)
        if memory is not None:
            x = x + self.cross(self.nc(x), memory, memory, memory_mask)
        return x + self.ffn(self.n2(x))


class Model(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, dim, heads, layers, hidden, p, pad):
        super().__init__()
        self.pad = pad
        self.src, self.tgt = nn.Embedding(src_vocab, dim), nn.Embedding(tgt_vocab, dim)
        self.enc = nn.ModuleList(Block(dim, heads, hidden, p, cross=False) for _ in range(layers))
        self.dec = nn.ModuleList(Block(dim, heads, hidden, p, cross=True) for _ in range(layers))
        self.ne, self.nd, self.drop = RMSNorm(dim), RMSNorm(dim), nn.Dropout(p)
        self.apply(self._init)
        self.head = nn.Linear(dim, tgt_vocab, bias=False)
        self.head.weight = self.tgt.weight  # tied

    @staticmethod
    def _init(m):
        if isinstance(m, (nn.Linear, nn.Embedding)):
            nn.init.normal_(m.weight, std=0.1)

    def encode(self, src):
        keep = (src != self.pad)[:, None, :].expand(-1, src.size(1), -1)
        x = self.drop(self.src(src))
        for b in self.enc:
            x = b(x, keep)
        return self.ne(x), keep[:, :1]

    def decode(self, tgt, memory, keep, mask, caches=None):
        x = self.drop(self.tgt(tgt))
        for i, b in enumerate(self.dec):
            x = b(x, mask, memory, keep, None if caches is None else caches[i])
        return self.head(self.nd(x))

    def forward(self, src, tgt):
        memory, keep = self.encode(src)
        T = tgt.size(1)
        causal = torch.arange(T, device=tgt.device)
        mask = (causal[:, None] >= causal) & (tgt != self.pad)[:, None, :]
        mask = mask | torch.eye(T, dtype=torch.bool, device=tgt.device)
        return self.decode(tgt, memory, keep, mask)


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Model(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    gen = torch.Generator().manual_seed(seed)
    model.to(device).train()
    decay = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim < 2]
    opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=lr, betas=(0.9, 0.95))
    losses = []
    for it in range(steps):
        scale = min(1, (it + 1) / 25) * (0.1 + 0.9 * 0.5 * (1 + torch.cos(torch.tensor(it / steps * torch.pi))).item())
        for g in opt.param_groups:
            g["lr"] = lr * scale
        i = torch.randint(len(src), (batch_size,), generator=gen)
        x, y, t = (a[i].to(device) for a in (src, tgt_in, tgt_out))
        per_token = F.cross_entropy(model(x, y).flatten(0, 1), t.flatten(), reduction="none")
        real = (t != model.pad).flatten().float()
        loss = (per_token * real).sum() / real.sum()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.detach())
    return {"loss": torch.stack(losses).cpu()}


@torch.no_grad()
def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    src = src.to(model.head.weight.device)
    memory, keep = model.encode(src)
    caches = [{} for _ in model.dec]
    token = src.new_full((len(src), 1), bos_id)
    out = []
    for _ in range(max_len):  # one token a step: the cache holds the keys and values of all earlier ones
        token = model.decode(token, memory, keep, None, caches)[:, -1].argmax(-1, keepdim=True)
        out.append(token)
    return torch.cat(out, 1)
