from layers import Decoder, Encoder, MultiHead, attention  # noqa: F401
from training import greedy_decode, train_seq2seq  # noqa: F401
import torch
from torch import nn


def build_mha(d_model, n_heads, dropout=0.0):
    return MultiHead(d_model, n_heads, dropout)


class Seq2Seq(nn.Module):
    def __init__(self, encoder, decoder, pad_id):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.pad_id = pad_id

    def make_src_mask(self, src):
        return (src != self.pad_id).unsqueeze(1)  # [batch, 1, src len]

    def make_trg_mask(self, trg):
        pad = (trg != self.pad_id).unsqueeze(1)  # [batch, 1, trg len]
        n = trg.shape[1]
        sub = torch.tril(torch.ones((n, n), device=trg.device)).bool()
        return pad & sub

    def forward(self, src, trg):
        src_mask = self.make_src_mask(src)
        enc = self.encoder(src, src_mask)
        output, att = self.decoder(trg, enc, self.make_trg_mask(trg), src_mask)
        return output, att  # [batch, trg len, vocab], [batch, heads, trg len, src len]


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    enc = Encoder(src_vocab, d_model, n_layers, n_heads, d_ff, dropout, max_len)
    dec = Decoder(tgt_vocab, d_model, n_layers, n_heads, d_ff, dropout, max_len)
    model = Seq2Seq(enc, dec, pad_id)
    for p in model.parameters():
        if p.dim() > 1:
            nn.init.xavier_uniform_(p.data)
    return model
