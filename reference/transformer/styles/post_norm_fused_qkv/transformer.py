import math

import torch
from torch import nn


class ScaleDotProductAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, q, k, v, mask=None):
        batch_size, head, length, d_tensor = k.size()
        k_t = k.transpose(2, 3)
        score = (q @ k_t) / math.sqrt(d_tensor)
        if mask is not None:
            score = score.masked_fill(mask == 0, -10000)
        score = self.softmax(score)
        return score @ v, score


def attention(q, k, v, mask=None):
    return ScaleDotProductAttention()(q, k, v, mask)


class MultiHeadAttention(nn.Module):
    """One matrix for q, k and v together; sliced when the three inputs differ."""

    def __init__(self, d_model, n_head, drop_prob=0.0):
        super().__init__()
        self.n_head = n_head
        self.attention = ScaleDotProductAttention()
        self.w_qkv = nn.Linear(d_model, 3 * d_model, bias=False)
        self.w_concat = nn.Linear(d_model, d_model)
        self.drop = nn.Dropout(drop_prob)

    def forward(self, q, k, v, mask=None):
        if q is k and k is v:
            q, k, v = self.w_qkv(q).chunk(3, dim=-1)
        else:
            wq, wk, wv = self.w_qkv.weight.chunk(3, dim=0)
            q, k, v = q @ wq.T, k @ wk.T, v @ wv.T
        q, k, v = self.split(q), self.split(k), self.split(v)
        if mask is not None and mask.dim() == 3:
            mask = mask.unsqueeze(1)
        out, attn = self.attention(q, k, v, mask=mask)
        return self.drop(self.w_concat(self.concat(out)))

    def split(self, tensor):
        batch_size, length, d_model = tensor.size()
        d_tensor = d_model // self.n_head
        return tensor.view(batch_size, length, self.n_head, d_tensor).transpose(1, 2)

    def concat(self, tensor):
        batch_size, head, length, d_tensor = tensor.size()
        return tensor.transpose(1, 2).contiguous().view(batch_size, length, head * d_tensor)


def build_mha(d_model, n_heads, dropout=0.0):
    return MultiHeadAttention(d_model, n_heads, dropout)


class LayerNorm(nn.Module):
    def __init__(self, d_model, eps=1e-12):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(d_model))
        self.beta = nn.Parameter(torch.zeros(d_model))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        var = x.var(-1, unbiased=False, keepdim=True)
        return self.gamma * (x - mean) / torch.sqrt(var + self.eps) + self.beta


class PositionwiseFeedForward(nn.Module):
    def __init__(self, d_model, hidden, drop_prob):
        super().__init__()
        self.linear1 = nn.Linear(d_model, hidden)
        self.linear2 = nn.Linear(hidden, d_model)
        self.relu = nn.ReLU()
        self.dropout = nn.Dropout(p=drop_prob)

    def forward(self, x):
        return self.linear2(self.dropout(self.relu(self.linear1(x))))


class EncoderLayer(nn.Module):
    def __init__(self, d_model, ffn_hidden, n_head, drop_prob):
        super().__init__()
        self.attention = MultiHeadAttention(d_model, n_head)
        self.norm1 = LayerNorm(d_model)
        self.dropout1 = nn.Dropout(p=drop_prob)
        self.ffn = PositionwiseFeedForward(d_model, ffn_hidden, drop_prob)
        self.norm2 = LayerNorm(d_model)
        self.dropout2 = nn.Dropout(p=drop_prob)

    def forward(self, x, src_mask):
        _x = x
        x = self.attention(x, x, x, src_mask)
        x = self.norm1(self.dropout1(x) + _x)
        _x = x
        return self.norm2(self.dropout2(self.ffn(x)) + _x)


class DecoderLayer(nn.Module):
    def __init__(self, d_model, ffn_hidden, n_head, drop_prob):
        super().__init__()
        self.self_attention = MultiHeadAttention(d_model, n_head)
        self.norm1 = LayerNorm(d_model)
        self.enc_dec_attention = MultiHeadAttention(d_model, n_head)
        self.norm2 = LayerNorm(d_model)
        self.ffn = PositionwiseFeedForward(d_model, ffn_hidden, drop_prob)
        self.norm3 = LayerNorm(d_model)
        self.dropout = nn.Dropout(p=drop_prob)

    def forward(self, dec, enc, trg_mask, src_mask):
        x = self.norm1(self.dropout(self.self_attention(dec, dec, dec, trg_mask)) + dec)
        x = self.norm2(self.dropout(self.enc_dec_attention(x, enc, enc, src_mask)) + x)
        return self.norm3(self.dropout(self.ffn(x)) + x)


class Embedding(nn.Module):
    def __init__(self, vocab, d_model, max_len, drop_prob):
        super().__init__()
        self.tok = nn.Embedding(vocab, d_model)
        pos = torch.arange(max_len).float().unsqueeze(1)
        two_i = torch.arange(0, d_model, 2).float()
        enc = torch.zeros(max_len, d_model)
        enc[:, 0::2] = torch.sin(pos / (10000 ** (two_i / d_model)))
        enc[:, 1::2] = torch.cos(pos / (10000 ** (two_i / d_model)))
        self.register_buffer("pos", enc, persistent=False)
        self.drop = nn.Dropout(drop_prob)

    def forward(self, x):
        return self.drop(self.tok(x) + self.pos[: x.size(1)])


class Transformer(nn.Module):
    def __init__(self, pad_idx, src_vocab, tgt_vocab, d_model, n_head, max_len, ffn_hidden, n_layers, drop_prob):
        super().__init__()
        self.pad_idx = pad_idx
        self.src_emb = Embedding(src_vocab, d_model, max_len, drop_prob)
        self.trg_emb = Embedding(tgt_vocab, d_model, max_len, drop_prob)
        self.enc_layers = nn.ModuleList([EncoderLayer(d_model, ffn_hidden, n_head, drop_prob) for _ in range(n_layers)])
        self.dec_layers = nn.ModuleList([DecoderLayer(d_model, ffn_hidden, n_head, drop_prob) for _ in range(n_layers)])
        self.linear = nn.Linear(d_model, tgt_vocab)

    def forward(self, src, trg):
        src_mask = (src != self.pad_idx).unsqueeze(1).unsqueeze(2)
        trg_mask = (trg != self.pad_idx).unsqueeze(1).unsqueeze(3)  # query axis: harmless for right padding
        trg_len = trg.shape[1]
        trg_mask = trg_mask & torch.tril(torch.ones(trg_len, trg_len)).bool().to(trg.device)
        enc = self.src_emb(src)
        for layer in self.enc_layers:
            enc = layer(enc, src_mask)
        dec = self.trg_emb(trg)
        for layer in self.dec_layers:
            dec = layer(dec, enc, trg_mask, src_mask)
        return self.linear(dec)


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Transformer(pad_id, src_vocab, tgt_vocab, d_model, n_heads, max_len, d_ff, n_layers, dropout)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    g = torch.Generator().manual_seed(seed)
    model = model.to(device)
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, weight_decay=5e-4, eps=5e-9)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: min(1.0, (i + 1) / 50))
    criterion = nn.CrossEntropyLoss(ignore_index=model.pad_idx)
    losses = []
    for _ in range(steps):
        idx = torch.randint(0, src.shape[0], (batch_size,), generator=g)
        s, ti, to = src[idx].to(device), tgt_in[idx].to(device), tgt_out[idx].to(device)
        optimizer.zero_grad()
        output = model(s, ti)
        loss = criterion(output.contiguous().view(-1, output.shape[-1]), to.contiguous().view(-1))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return {"loss": losses}


def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    device = next(model.parameters()).device
    src = src.to(device)
    ys = torch.full((src.size(0), 1), bos_id, dtype=torch.long, device=device)
    with torch.no_grad():
        for _ in range(max_len):
            ys = torch.cat([ys, model(src, ys)[:, -1].argmax(-1, keepdim=True)], dim=1)
    return ys[:, 1:]
