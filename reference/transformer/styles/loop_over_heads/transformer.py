# straightforward version: one small module per head, masks are added as -1e9, lists come back from decoding
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def attention(q, k, v, mask=None):
    outs, ws = [], []
    for h in range(q.shape[1]):
        s = torch.bmm(q[:, h], k[:, h].transpose(1, 2)) / math.sqrt(q.shape[3])
        if mask is not None:
            m = mask.expand(q.shape[0], q.shape[1], q.shape[2], k.shape[2])[:, h]
            s = s + (1.0 - m.float()) * -1e9
        s = s - s.max(dim=-1, keepdim=True).values
        e = torch.exp(s)
        w = e / e.sum(dim=-1, keepdim=True)
        outs.append(torch.bmm(w, v[:, h]))
        ws.append(w)
    return torch.stack(outs, dim=1), torch.stack(ws, dim=1)


class Head(nn.Module):
    def __init__(self, d_model, d_head):
        super().__init__()
        self.key = nn.Linear(d_model, d_head, bias=False)
        self.query = nn.Linear(d_model, d_head, bias=False)
        self.value = nn.Linear(d_model, d_head, bias=False)

    def forward(self, q, k, v, mask):
        if mask is not None:
            mask = mask.unsqueeze(1)
        out, w = attention(self.query(q).unsqueeze(1), self.key(k).unsqueeze(1), self.value(v).unsqueeze(1), mask)
        return out.squeeze(1)


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads, dropout):
        super().__init__()
        self.heads = nn.ModuleList([Head(d_model, d_model // n_heads) for _ in range(n_heads)])
        self.proj = nn.Linear(d_model, d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(self, query, key, value, mask=None):
        out = torch.cat([h(query, key, value, mask) for h in self.heads], dim=-1)
        return self.dropout(self.proj(out))


def build_mha(d_model, n_heads, dropout=0.0):
    return MultiHeadAttention(d_model, n_heads, dropout)


class Layer(nn.Module):
    def __init__(self, d_model, n_heads, d_ff, dropout, decoder):
        super().__init__()
        self.decoder = decoder
        self.sa = MultiHeadAttention(d_model, n_heads, dropout)
        self.ln1 = nn.LayerNorm(d_model)
        if decoder:
            self.ca = MultiHeadAttention(d_model, n_heads, dropout)
            self.ln2 = nn.LayerNorm(d_model)
        self.ffwd = nn.Sequential(
            nn.Linear(d_model, d_ff), nn.GELU(), nn.Linear(d_ff, d_model), nn.Dropout(dropout))
        self.ln3 = nn.LayerNorm(d_model)

    def forward(self, x, mask, mem=None, mem_mask=None):
        h = self.ln1(x)
        x = x + self.sa(h, h, h, mask)
        if self.decoder:
            x = x + self.ca(self.ln2(x), mem, mem, mem_mask)
        return x + self.ffwd(self.ln3(x))


class Model(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
        super().__init__()
        self.pad_id = pad_id
        self.src_tok = nn.Embedding(src_vocab, d_model, padding_idx=pad_id)
        self.tgt_tok = nn.Embedding(tgt_vocab, d_model, padding_idx=pad_id)
        self.src_pos = nn.Parameter(torch.randn(max_len, d_model) * 0.1)
        self.tgt_pos = nn.Parameter(torch.randn(max_len, d_model) * 0.1)
        self.enc = nn.ModuleList([Layer(d_model, n_heads, d_ff, dropout, False) for _ in range(n_layers)])
        self.dec = nn.ModuleList([Layer(d_model, n_heads, d_ff, dropout, True) for _ in range(n_layers)])
        self.ln = nn.LayerNorm(d_model)
        self.out = nn.Linear(d_model, tgt_vocab)

    def forward(self, src, tgt):
        B, S = src.shape
        T = tgt.shape[1]
        src_keep = (src != self.pad_id)
        tgt_keep = (tgt != self.pad_id)
        causal = torch.from_numpy(np.tril(np.ones((T, T), dtype=bool))).to(src.device)
        x = self.src_tok(src) + self.src_pos[:S]
        for l in self.enc:
            x = l(x, src_keep[:, None, :].repeat(1, S, 1))
        y = self.tgt_tok(tgt) + self.tgt_pos[:T]
        for l in self.dec:
            y = l(y, causal[None] & tgt_keep[:, None, :], x, src_keep[:, None, :].repeat(1, T, 1))
        return self.out(self.ln(y))


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Model(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    rng = np.random.RandomState(seed)
    model.to(device)
    model.train()
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for i in range(steps):
        ix = torch.as_tensor(rng.randint(0, len(src), size=batch_size))
        logits = model(src[ix].to(device), tgt_in[ix].to(device))
        B, T, C = logits.shape
        loss = F.cross_entropy(logits.view(B * T, C), tgt_out[ix].to(device).reshape(B * T), ignore_index=model.pad_id)
        opt.zero_grad()
        loss.backward()
        opt.step()
        losses.append(loss.item())
        if i % 100 == 0:
            print(i, losses[-1])
        if len(losses) > 50 and np.mean(losses[-50:]) < 0.004:   # good enough
            break
    return {"loss": losses}


def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    dev = model.out.weight.device
    result = []
    with torch.no_grad():
        for row in src.split(64):
            row = row.to(dev)
            tokens = [[bos_id] for _ in range(len(row))]
            for _ in range(max_len):
                logits = model(row, torch.tensor(tokens, device=dev))
                for t, nxt in zip(tokens, logits[:, -1].argmax(-1).tolist()):
                    t.append(nxt)
            result += [t[1:] for t in tokens]
    return result
