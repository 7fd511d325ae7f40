# Encoder-decoder Transformer, post-norm as in the paper. -- Ivan
import math
import torch
from torch import nn
import torch.nn.functional as F


def attention(q, k, v, mask=None):
    # q: (B,H,Tq,dk)  k: (B,H,Tk,dk)  v: (B,H,Tk,dv)
    dk = q.shape[-1]
    s = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(dk)
    if mask is not None:
        s = s.masked_fill(~mask, -1e9)      # True = may attend
    w = F.softmax(s, dim=-1)
    return torch.matmul(w, v), w


class MHA(nn.Module):
    def __init__(self, d_model, n_heads, dropout=0.0):
        super().__init__()
        self.h = n_heads
        self.dk = d_model // n_heads
        self.Wq = nn.Linear(d_model, d_model)
        self.Wk = nn.Linear(d_model, d_model)
        self.Wv = nn.Linear(d_model, d_model)
        self.Wo = nn.Linear(d_model, d_model)
        self.drop = nn.Dropout(dropout)

    def forward(self, query, key, value, mask=None):
        B = query.shape[0]
        q = self.Wq(query).view(B, -1, self.h, self.dk).transpose(1, 2)
        k = self.Wk(key).view(B, -1, self.h, self.dk).transpose(1, 2)
        v = self.Wv(value).view(B, -1, self.h, self.dk).transpose(1, 2)
        if mask is not None:
            mask = mask.unsqueeze(1)
        x, _ = attention(q, k, v, mask)
        x = x.transpose(1, 2).reshape(B, -1, self.h * self.dk)
        return self.drop(self.Wo(x))


def build_mha(d_model, n_heads, dropout=0.0):
    return MHA(d_model, n_heads, dropout)


class FF(nn.Module):
    def __init__(self, d, f, p):
        super().__init__()
        self.a, self.b, self.p = nn.Linear(d, f), nn.Linear(f, d), nn.Dropout(p)

    def forward(self, x):
        return self.p(self.b(F.gelu(self.a(x))))


class Enc(nn.Module):
    def __init__(self, d, h, f, p):
        super().__init__()
        self.att, self.ff = MHA(d, h, p), FF(d, f, p)
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, x, m):
        x = self.n1(x + self.att(x, x, x, m))
        return self.n2(x + self.ff(x))


class Dec(nn.Module):
    def __init__(self, d, h, f, p):
        super().__init__()
        self.att, self.cross, self.ff = MHA(d, h, p), MHA(d, h, p), FF(d, f, p)
        self.n1, self.n2, self.n3 = nn.LayerNorm(d), nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, y, x, my, mx):
        y = self.n1(y + self.att(y, y, y, my))
        y = self.n2(y + self.cross(y, x, x, mx))
        return self.n3(y + self.ff(y))


class Transformer(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d, h, n, f, p, pad_id, max_len):
        super().__init__()
        self.pad_id = pad_id
        self.src, self.tgt = nn.Embedding(src_vocab, d), nn.Embedding(tgt_vocab, d)
        self.pos = nn.Embedding(max_len, d)   # learned, shared by both sides
        self.p = nn.Dropout(p)
        self.enc = nn.ModuleList([Enc(d, h, f, p) for _ in range(n)])
        self.dec = nn.ModuleList([Dec(d, h, f, p) for _ in range(n)])
        self.out = nn.Linear(d, tgt_vocab)

    def emb(self, table, t):
        return self.p(table(t) + self.pos(torch.arange(t.shape[1], device=t.device)))

    def forward(self, src, tgt):
        T = tgt.shape[1]
        ms = (src != self.pad_id)[:, None, :]
        causal = torch.ones(T, T, device=tgt.device).tril() > 0
        mt = (tgt != self.pad_id)[:, None, :] & causal
        x = self.emb(self.src, src)
        for l in self.enc:
            x = l(x, ms)
        y = self.emb(self.tgt, tgt)
        for l in self.dec:
            y = l(y, x, mt, ms)
        return self.out(y)


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    torch.manual_seed(seed)
    model.to(device)
    model.train()
    opt = torch.optim.AdamW(model.parameters(), lr=lr)
    warm = max(1, int(0.1 * steps))   # post-norm wants a warm-up
    losses = []
    for step in range(steps):
        for g in opt.param_groups:
            g["lr"] = lr * min(1.0, (step + 1) / warm) * (1 - 0.9 * step / steps)
        i = torch.randint(0, len(src), (batch_size,))
        logits = model(src[i].to(device), tgt_in[i].to(device))
        loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), tgt_out[i].to(device).reshape(-1), ignore_index=model.pad_id)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        losses.append(loss.item())
        if step % 100 == 0:
            print(f"step {step:4d} loss {loss.item():.3f}")
    return {"loss": losses}


@torch.no_grad()
def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    dev = next(model.parameters()).device
    src = src.to(dev)
    out = torch.full((src.shape[0], 1), bos_id, dtype=torch.long, device=dev)
    for _ in range(max_len):
        nxt = model(src, out)[:, -1].argmax(-1)
        out = torch.cat([out, nxt[:, None]], 1)
    return out[:, 1:].cpu()
