# Pre-norm model whose forward gives log-probabilities with batch and time flattened, KL loss with smoothed targets.
import copy
import math

import torch
import torch.nn as nn


def attention(q, k, v, mask=None):
    d = q.shape[-1]
    scores = torch.matmul(q, k.transpose(-1, -2)) / math.sqrt(d)
    if mask is not None:
        bias = torch.zeros(mask.shape, dtype=scores.dtype, device=scores.device)
        bias[~mask] = float('-inf')
        scores = scores + bias
    probs = torch.softmax(scores, dim=-1)
    return torch.matmul(probs, v), probs


class MultiHeadedAttention(nn.Module):
    def __init__(self, model_dimension, number_of_heads, dropout_probability):
        super().__init__()
        assert model_dimension % number_of_heads == 0
        self.head_dimension = model_dimension // number_of_heads
        self.number_of_heads = number_of_heads
        self.qkv_nets = nn.ModuleList([copy.deepcopy(nn.Linear(model_dimension, model_dimension)) for _ in range(3)])
        for net in self.qkv_nets:
            nn.init.xavier_uniform_(net.weight)
        self.out_projection_net = nn.Linear(model_dimension, model_dimension)
        self.attention_dropout = nn.Dropout(dropout_probability)

    def forward(self, query, key, value, mask=None):
        batch_size = query.shape[0]
        query, key, value = [
            net(x).view(batch_size, -1, self.number_of_heads, self.head_dimension).transpose(1, 2)
            for net, x in zip(self.qkv_nets, (query, key, value))
        ]
        if mask is not None:
            mask = mask.unsqueeze(1)
        out, weights = attention(query, key, value, mask)
        out = out.transpose(1, 2).reshape(batch_size, -1, self.number_of_heads * self.head_dimension)
        return self.attention_dropout(self.out_projection_net(out))


def build_mha(d_model, n_heads, dropout=0.0):
    return MultiHeadedAttention(d_model, n_heads, dropout)


class Sublayer(nn.Module):
    def __init__(self, d, p):
        super().__init__()
        self.norm, self.dropout = nn.LayerNorm(d), nn.Dropout(p)

    def forward(self, x, f):
        return x + self.dropout(f(self.norm(x)))


def ffn(d, h, p):
    return nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Dropout(p), nn.Linear(h, d))


class Encoder(nn.Module):
    def __init__(self, n, d, h, ff, p):
        super().__init__()
        self.mha = nn.ModuleList(build_mha(d, h) for _ in range(n))
        self.ff = nn.ModuleList(ffn(d, ff, p) for _ in range(n))
        self.sub = nn.ModuleList(Sublayer(d, p) for _ in range(2 * n))
        self.norm = nn.LayerNorm(d)

    def forward(self, x, mask):
        for i, (mha, ff) in enumerate(zip(self.mha, self.ff)):
            x = self.sub[2 * i](x, lambda y: mha(y, y, y, mask))
            x = self.sub[2 * i + 1](x, ff)
        return self.norm(x)


class Decoder(nn.Module):
    def __init__(self, n, d, h, ff, p):
        super().__init__()
        self.mha = nn.ModuleList(build_mha(d, h) for _ in range(n))
        self.cross = nn.ModuleList(build_mha(d, h) for _ in range(n))
        self.ff = nn.ModuleList(ffn(d, ff, p) for _ in range(n))
        self.sub = nn.ModuleList(Sublayer(d, p) for _ in range(3 * n))
        self.norm = nn.LayerNorm(d)

    def forward(self, x, memory, trg_mask, src_mask):
        for i in range(len(self.ff)):
            x = self.sub[3 * i](x, lambda y: self.mha[i](y, y, y, trg_mask))
            x = self.sub[3 * i + 1](x, lambda y: self.cross[i](y, memory, memory, src_mask))
            x = self.sub[3 * i + 2](x, self.ff[i])
        return self.norm(x)


class PositionalEncoding(nn.Module):
    def __init__(self, d, p, max_len):
        super().__init__()
        self.dropout = nn.Dropout(p)
        position = torch.arange(0, max_len).unsqueeze(1)
        freq = torch.pow(10000., -torch.arange(0, d, 2, dtype=torch.float) / d)
        table = torch.zeros(max_len, d)
        table[:, 0::2] = torch.sin(position * freq)
        table[:, 1::2] = torch.cos(position * freq)
        self.register_buffer('table', table)

    def forward(self, x):
        return self.dropout(x + self.table[:x.shape[1]])


class Transformer(nn.Module):
    def __init__(self, src_vocab, trg_vocab, d, h, n, ff, p, pad, max_len):
        super().__init__()
        self.pad, self.d = pad, d
        self.src_embedding, self.trg_embedding = nn.Embedding(src_vocab, d), nn.Embedding(trg_vocab, d)
        self.src_pos, self.trg_pos = PositionalEncoding(d, p, max_len), PositionalEncoding(d, p, max_len)
        self.encoder, self.decoder = Encoder(n, d, h, ff, p), Decoder(n, d, h, ff, p)
        self.generator = nn.Sequential(nn.Linear(d, trg_vocab), nn.LogSoftmax(dim=-1))
        for name, param in self.named_parameters():
            if param.dim() > 1:
                nn.init.xavier_uniform_(param)

    def forward(self, src, trg):
        src_mask = (src != self.pad)[:, None, :]
        trg_mask = (trg != self.pad)[:, None, :] & torch.tril(
            torch.ones((1, trg.shape[1], trg.shape[1]), device=trg.device)).bool()
        memory = self.encoder(self.src_pos(self.src_embedding(src) * math.sqrt(self.d)), src_mask)
        x = self.decoder(self.trg_pos(self.trg_embedding(trg) * math.sqrt(self.d)), memory, trg_mask, src_mask)
        out = self.generator(x)
        return out.reshape(-1, out.shape[-1])


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def smooth(target, vocab, pad, eps=0.1):
    dist = torch.full((len(target), vocab), eps / (vocab - 2), device=target.device)
    dist.scatter_(1, target.unsqueeze(1), 1 - eps)
    dist[:, pad] = 0
    dist[target == pad] = 0
    return dist


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    torch.manual_seed(seed)
    model.to(device).train()
    optim = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98), eps=1e-9, lr=lr)
    kl = nn.KLDivLoss(reduction='sum')
    warmup, log, window = steps // 10 + 1, [], []
    for step in range(1, steps + 1):
        for group in optim.param_groups:
            group['lr'] = lr * min(step / warmup, (warmup / step) ** 0.5)
        pick = torch.randint(len(src), (batch_size,))
        log_probs = model(src[pick].to(device), tgt_in[pick].to(device))
        target = tgt_out[pick].to(device).reshape(-1)
        loss = kl(log_probs, smooth(target, log_probs.shape[-1], model.pad)) / (target != model.pad).sum()
        optim.zero_grad()
        loss.backward()
        optim.step()
        window.append(loss.item())
        if step % 20 == 0:
            log.append(sum(window) / len(window))
            window = []
            print(f'step {step}: {log[-1]:.4f}')
    return {'loss': log, 'steps': steps}


def greedy_decode(model, src, bos_id, max_len):
    model.eval()
    device = next(model.parameters()).device
    src = src.to(device)
    B = src.shape[0]
    trg = torch.full((B, 1), bos_id, dtype=torch.long, device=device)
    with torch.no_grad():
        for t in range(max_len):
            probs = model(src, trg).view(B, t + 1, -1)
            trg = torch.cat([trg, probs[:, -1].argmax(dim=-1, keepdim=True)], dim=1)
    return trg[:, 1:].cpu().numpy()
