"""The first two parts by hand, the model itself from torch.nn (whose masks mean the opposite)."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def attention(q, k, v, mask=None):
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) * q.shape[-1] ** -0.5
    if mask is not None:
        scores = torch.where(mask, scores, torch.finfo(scores.dtype).min)
    weights = F.softmax(scores, -1)
    return torch.einsum("bhqk,bhkd->bhqd", weights, v), weights


class MHA(nn.Module):
    def __init__(self, d, h, p):
        super().__init__()
        self.h = h
        self.q, self.k, self.v, self.o = [nn.Linear(d, d) for _ in range(4)]
        self.p = p

    def forward(self, query, key, value, mask=None):
        heads = lambda x: x.unflatten(-1, (self.h, -1)).transpose(1, 2)
        if mask is not None:
            mask = mask[:, None]
        out, w = attention(heads(self.q(query)), heads(self.k(key)), heads(self.v(value)), mask)
        out = self.o(out.transpose(1, 2).flatten(2))
        return F.dropout(out, self.p, self.training), w


def build_mha(d_model, n_heads, dropout=0.0):
    return MHA(d_model, n_heads, dropout)


class Translator(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
        super().__init__()
        self.pad_id = pad_id
        self.src_emb = nn.Embedding(src_vocab, d_model)
        self.tgt_emb = nn.Embedding(tgt_vocab, d_model)
        self.pos = nn.Embedding(max_len, d_model)
        self.core = nn.Transformer(d_model, n_heads, n_layers, n_layers, d_ff, dropout, norm_first=False)
        self.fc = nn.Linear(d_model, tgt_vocab)
        self.drop = nn.Dropout(dropout)

    def embed(self, table, x):
        return self.drop(table(x) + self.pos(torch.arange(x.shape[1], device=x.device))).transpose(0, 1)

    def forward(self, src, tgt):
        T = tgt.shape[1]
        hide_future = torch.triu(torch.ones(T, T, dtype=torch.bool, device=tgt.device), diagonal=1)
        out = self.core(
            self.embed(self.src_emb, src),
            self.embed(self.tgt_emb, tgt),
            tgt_mask=hide_future,
            src_key_padding_mask=src == self.pad_id,
            tgt_key_padding_mask=tgt == self.pad_id,
            memory_key_padding_mask=src == self.pad_id,
        )
        return self.fc(out).transpose(0, 1)


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Translator(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    torch.manual_seed(seed)
    model.to(device)
    model.train()
    opt = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01)
    sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=lr, total_steps=steps, pct_start=0.1)
    history, step = [], 0
    while step < steps:
        for idx in torch.randperm(len(src)).split(batch_size):
            if step == steps:
                break
            logits = model(src[idx].to(device), tgt_in[idx].to(device))
            loss = F.cross_entropy(logits.transpose(1, 2), tgt_out[idx].to(device), ignore_index=model.pad_id)
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
            sched.step()
            history.append(float(loss))
            step += 1
    return {"loss": history}


@torch.inference_mode()
def greedy_decode(model, src, bos_id, max_len):
    was_training = model.training
    model.eval()
    dev = model.fc.weight.device
    src = src.to(dev)
    out = torch.full((src.shape[0], max_len + 1), model.pad_id, device=dev)
    out[:, 0] = bos_id
    for t in range(max_len):
        out[:, t + 1] = model(src, out[:, : t + 1])[:, t].argmax(-1)
    model.train(was_training)
    return out[:, 1:].cpu()
