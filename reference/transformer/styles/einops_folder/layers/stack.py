import torch
from torch import nn

from .attention import MultiHead


class FeedForward(nn.Module):
    def __init__(self, hid_dim, pf_dim, dropout):
        super().__init__()
        self.fc_1 = nn.Linear(hid_dim, pf_dim)
        self.fc_2 = nn.Linear(pf_dim, hid_dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.fc_2(self.dropout(torch.relu(self.fc_1(x))))


class Embed(nn.Module):
    def __init__(self, vocab, hid_dim, dropout, max_length):
        super().__init__()
        self.tok = nn.Embedding(vocab, hid_dim)
        self.pos = nn.Embedding(max_length, hid_dim)
        self.dropout = nn.Dropout(dropout)
        self.scale = hid_dim**0.5

    def forward(self, x):
        pos = torch.arange(0, x.shape[1], device=x.device).unsqueeze(0).repeat(x.shape[0], 1)
        return self.dropout(self.tok(x) * self.scale + self.pos(pos))


class EncoderLayer(nn.Module):
    def __init__(self, hid_dim, n_heads, pf_dim, dropout):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(hid_dim), nn.LayerNorm(hid_dim)
        self.att = MultiHead(hid_dim, n_heads, dropout)
        self.ff = FeedForward(hid_dim, pf_dim, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, src, mask):
        _src, _ = self.att(src, src, src, mask)
        src = self.ln1(src + self.dropout(_src))
        return self.ln2(src + self.dropout(self.ff(src)))


class DecoderLayer(nn.Module):
    def __init__(self, hid_dim, n_heads, pf_dim, dropout):
        super().__init__()
        self.ln1, self.ln2, self.ln3 = nn.LayerNorm(hid_dim), nn.LayerNorm(hid_dim), nn.LayerNorm(hid_dim)
        self.att = MultiHead(hid_dim, n_heads, dropout)
        self.enc_att = MultiHead(hid_dim, n_heads, dropout)
        self.ff = FeedForward(hid_dim, pf_dim, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, trg, enc, trg_mask, src_mask):
        _trg, _ = self.att(trg, trg, trg, trg_mask)
        trg = self.ln1(trg + self.dropout(_trg))
        _trg, attention = self.enc_att(trg, enc, enc, src_mask)
        trg = self.ln2(trg + self.dropout(_trg))
        return self.ln3(trg + self.dropout(self.ff(trg))), attention


class Encoder(nn.Module):
    def __init__(self, vocab, hid_dim, n_layers, n_heads, pf_dim, dropout, max_length):
        super().__init__()
        self.embed = Embed(vocab, hid_dim, dropout, max_length)
        self.layers = nn.ModuleList([EncoderLayer(hid_dim, n_heads, pf_dim, dropout) for _ in range(n_layers)])

    def forward(self, src, mask):
        src = self.embed(src)
        for layer in self.layers:
            src = layer(src, mask)
        return src


class Decoder(nn.Module):
    def __init__(self, vocab, hid_dim, n_layers, n_heads, pf_dim, dropout, max_length):
        super().__init__()
        self.embed = Embed(vocab, hid_dim, dropout, max_length)
        self.layers = nn.ModuleList([DecoderLayer(hid_dim, n_heads, pf_dim, dropout) for _ in range(n_layers)])
        self.fc_out = nn.Linear(hid_dim, vocab)

    def forward(self, trg, enc, trg_mask, src_mask):
        trg = self.embed(trg)
        for layer in self.layers:
            trg, attention = layer(trg, enc, trg_mask, src_mask)
        return self.fc_out(trg), attention
