"""ReZero: no norms; every branch starts with a factor of zero, so a new model is its embeddings and nothing more."""
import torch
from torch import nn


def attention(q, k, v, mask=None):
    scores = torch.einsum('...qd,...kd->...qk', q * q.shape[-1] ** -0.5, k)
    if mask is not None:
        scores = scores.masked_fill(~mask.to(torch.bool), -torch.finfo(scores.dtype).max)
    weights = torch.softmax(scores, -1)
    return torch.einsum('...qk,...kd->...qd', weights, v), weights


class MHA(nn.Module):
    def __init__(self, d, h, p=0.):
        super().__init__()
        self.h = h
        self.wq, self.wk, self.wv, self.wo = (nn.Parameter(torch.empty(d, d)) for _ in range(4))
        for w in (self.wq, self.wk, self.wv, self.wo):
            nn.init.orthogonal_(w)
        self.drop = nn.Dropout(p)

    def forward(self, query, key, value, mask=None):
        b, d = query.shape[0], query.shape[-1]
        split = lambda x: x.reshape(b, -1, self.h, d // self.h).swapaxes(1, 2)
        out, _ = attention(split(query @ self.wq), split(key @ self.wk), split(value @ self.wv),
                           mask[:, None] if mask is not None else None)
        return self.drop(out.swapaxes(1, 2).flatten(2) @ self.wo)


def build_mha(d_model, n_heads, dropout=0.0):
    return MHA(d_model, n_heads, dropout)


class Layer(nn.Module):
    def __init__(self, d, h, f, p, cross):
        super().__init__()
        self.att = MHA(d, h, p)
        self.cross = MHA(d, h, p) if cross else None
        self.ff = nn.Sequential(nn.Linear(d, f), nn.SiLU(), nn.Linear(f, d), nn.Dropout(p))
        self.gain = nn.Parameter(torch.zeros(3))

    def forward(self, x, mask, mem=None, mem_mask=None):
        x = x + self.gain[0] * self.att(x, x, x, mask)
        if self.cross is not None:
            x = x + self.gain[1] * self.cross(x, mem, mem, mem_mask)
        return x + self.gain[2] * self.ff(x)


class ReZero(nn.Module):
    def __init__(self, sv, tv, d, h, n, f, p, pad, max_len):
        super().__init__()
        self.pad = pad
        self.src, self.tgt, self.pos = nn.Embedding(sv, d), nn.Embedding(tv, d), nn.Embedding(max_len, d)
        self.enc = nn.ModuleList(Layer(d, h, f, p, False) for _ in range(n))
        self.dec = nn.ModuleList(Layer(d, h, f, p, True) for _ in range(n))
        self.drop, self.out = nn.Dropout(p), nn.Linear(d, tv)

    def forward(self, src, tgt):
        place = lambda x: self.pos.weight[: x.shape[1]]
        src_keep, tgt_keep = (src != self.pad)[:, None, :], (tgt != self.pad)[:, None, :]
        i = torch.arange(tgt.shape[1], device=tgt.device)
        mem = self.drop(self.src(src) + place(src))
        for layer in self.enc:
            mem = layer(mem, src_keep)
        x = self.drop(self.tgt(tgt) + place(tgt))
        for layer in self.dec:
            x = layer(x, tgt_keep & (i[None, :] <= i[:, None]), mem, src_keep)
        return self.out(x)


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return ReZero(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    torch.manual_seed(seed)
    model.to(device).train()
    data = [t.to(device) for t in (src, tgt_in, tgt_out)]
    opt = torch.optim.RAdam(model.parameters(), lr=lr, betas=(0.9, 0.98))
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(opt, steps)
    lossf = nn.CrossEntropyLoss(ignore_index=model.pad)
    losses = []
    for _ in range(steps):
        s, i, o = (t[torch.randint(len(t), (batch_size,), generator=torch.Generator().manual_seed(seed + len(losses)))] for t in data)
        loss = lossf(model(s, i).permute(0, 2, 1), o)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.)
        opt.step()
        fall.step()
        losses.append(loss.item())
    return {'loss': losses}


@torch.no_grad()
def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    src = src.to(model.out.weight.device)
    y = torch.full_like(src[:, :1], bos_id)
    while y.shape[1] <= max_len:
        y = torch.hstack([y, model(src, y)[:, -1:].argmax(-1)])
    return y[:, 1:]
