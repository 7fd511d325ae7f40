"""DataLoader and epochs, post-norm with a norm after the embedding, tied target embedding, beam search of width one."""
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor] = None):
    temperature = q.size(-1) ** 0.5
    attn = torch.matmul(q / temperature, k.transpose(2, 3))
    if mask is not None:
        attn = attn.masked_fill(mask == 0, -1e9)
    attn = F.softmax(attn, dim=-1)
    return torch.matmul(attn, v), attn


class MultiHeadAttention(nn.Module):
    def __init__(self, n_head: int, d_model: int, dropout: float):
        super().__init__()
        d_k = d_model // n_head
        self.n_head, self.d_k = n_head, d_k
        self.w_qs = nn.Linear(d_model, n_head * d_k, bias=False)
        self.w_ks = nn.Linear(d_model, n_head * d_k, bias=False)
        self.w_vs = nn.Linear(d_model, n_head * d_k, bias=False)
        self.fc = nn.Linear(n_head * d_k, d_model, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, q, k, v, mask=None):
        B, len_q, len_k, len_v = q.size(0), q.size(1), k.size(1), v.size(1)
        q = self.w_qs(q).view(B, len_q, self.n_head, self.d_k).transpose(1, 2)
        k = self.w_ks(k).view(B, len_k, self.n_head, self.d_k).transpose(1, 2)
        v = self.w_vs(v).view(B, len_v, self.n_head, self.d_k).transpose(1, 2)
        out, attn = attention(q, k, v, mask.unsqueeze(1) if mask is not None else None)
        out = out.transpose(1, 2).contiguous().view(B, len_q, -1)
        return self.dropout(self.fc(out)), attn


def build_mha(d_model, n_heads, dropout=0.0):
    return MultiHeadAttention(n_heads, d_model, dropout)


class Residual(nn.Module):
    """x -> norm(x + attention(x, memory, memory))."""

    def __init__(self, n_head, d_model, dropout):
        super().__init__()
        self.mha, self.norm = MultiHeadAttention(n_head, d_model, dropout), nn.LayerNorm(d_model, eps=1e-6)

    def forward(self, x, memory, mask):
        return self.norm(x + self.mha(x, memory, memory, mask)[0])


class PositionwiseFF(nn.Module):
    def __init__(self, d_in, d_hid, dropout):
        super().__init__()
        # position-wise: the same as two convolutions of width one
        self.w_1 = nn.Conv1d(d_in, d_hid, 1)
        self.w_2 = nn.Conv1d(d_hid, d_in, 1)
        self.norm, self.dropout = nn.LayerNorm(d_in, eps=1e-6), nn.Dropout(dropout)

    def forward(self, x):
        y = self.w_2(F.leaky_relu(self.w_1(x.transpose(1, 2)), 0.01)).transpose(1, 2)
        return self.norm(x + self.dropout(y))


class Transformer(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_head, n_layers, d_inner, dropout, pad_idx, n_position):
        super().__init__()
        self.pad_idx = pad_idx
        self.src_word = nn.Embedding(src_vocab, d_model, padding_idx=pad_idx)
        self.trg_word = nn.Embedding(tgt_vocab, d_model, padding_idx=pad_idx)
        self.src_norm, self.trg_norm = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.register_buffer('pos_table', self._table(n_position, d_model))
        self.dropout = nn.Dropout(dropout)
        self.enc_attn = nn.ModuleList([Residual(n_head, d_model, dropout) for _ in range(n_layers)])
        self.enc_ff = nn.ModuleList([PositionwiseFF(d_model, d_inner, dropout) for _ in range(n_layers)])
        self.dec_attn = nn.ModuleList([Residual(n_head, d_model, dropout) for _ in range(n_layers)])
        self.dec_cross = nn.ModuleList([Residual(n_head, d_model, dropout) for _ in range(n_layers)])
        self.dec_ff = nn.ModuleList([PositionwiseFF(d_model, d_inner, dropout) for _ in range(n_layers)])
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)
        self.trg_prj = nn.Linear(d_model, tgt_vocab, bias=False)
        self.trg_prj.weight = self.trg_word.weight
        self.x_logit_scale = 1.0

    @staticmethod
    def _table(n_position, d_hid):
        angle = [[pos / 10000 ** (2 * (j // 2) / d_hid) for j in range(d_hid)] for pos in range(n_position)]
        t = torch.tensor(angle)
        t[:, 0::2], t[:, 1::2] = torch.sin(t[:, 0::2]), torch.cos(t[:, 1::2])
        return t.unsqueeze(0)

    def forward(self, src_seq, trg_seq):
        src_mask = (src_seq != self.pad_idx).unsqueeze(-2)
        n = trg_seq.size(1)
        subsequent = (1 - torch.triu(torch.ones((1, n, n), device=trg_seq.device), diagonal=1)).bool()
        trg_mask = (trg_seq != self.pad_idx).unsqueeze(-2) & subsequent
        x = self.src_norm(self.dropout(self.src_word(src_seq) + self.pos_table[:, :src_seq.size(1)]))
        for attn, ff in zip(self.enc_attn, self.enc_ff):
            x = ff(attn(x, x, src_mask))
        y = self.trg_norm(self.dropout(self.trg_word(trg_seq) + self.pos_table[:, :n]))
        for attn, cross, ff in zip(self.dec_attn, self.dec_cross, self.dec_ff):
            y = ff(cross(attn(y, y, trg_mask), x, src_mask))
        logit = self.trg_prj(y) * self.x_logit_scale
        return logit.view(-1, logit.size(2))


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    model.to(device).train()
    data = TensorDataset(src, tgt_in, tgt_out)
    sampler = RandomSampler(data, True, steps * batch_size, generator=torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(model.parameters(), lr, betas=(0.9, 0.98), eps=1e-09)
    warm, curve = max(1, steps // 10), []
    for i, (s, ti, to) in enumerate(DataLoader(data, batch_size, sampler=sampler)):
        for g in optimizer.param_groups:
            g['lr'] = lr * min((i + 1) / warm, 1 - 0.9 * i / steps)
        optimizer.zero_grad()
        pred = model(s.to(device), ti.to(device))
        loss = F.cross_entropy(pred, to.to(device).view(-1), ignore_index=model.pad_idx, reduction='sum',
                               label_smoothing=0.1)
        n_word = to.ne(model.pad_idx).sum().item()
        (loss / n_word).backward()
        optimizer.step()
        curve.append(loss.item() / n_word)
    return {'loss': curve}


def greedy_decode(model, src, bos_id, max_len):
    """Beam search with a beam of one; padding and BOS are never chosen."""
    model.eval()
    device = model.pos_table.device
    src = src.to(device)
    beams = [(torch.full((len(src), 1), bos_id, device=device), torch.zeros(len(src), device=device))]
    for step in range(max_len):
        seqs, scores = beams[0]
        with torch.no_grad():
            logp = F.log_softmax(model(src, seqs).view(len(src), step + 1, -1)[:, -1], dim=-1)
        logp[:, [model.pad_idx, bos_id]] = -float('inf')
        best, word = logp.topk(1, dim=-1)
        beams = [(torch.cat([seqs, word], dim=1), scores + best[:, 0])]
    return beams[0][0][:, 1:], beams[0][1]
