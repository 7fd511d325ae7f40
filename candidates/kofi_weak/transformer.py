import torch
import torch.nn as nn

def attention(q, k, v, mask=None):
    scores = torch.matmul(q, k.transpose(2, 3))
    if mask is not None:
        scores.masked_fill(mask == 0, -1e9)
    attn = torch.softmax(scores, dim=-1)
    return torch.matmul(attn, v), attn


class MultiHeadAttention(nn.Module):
    def __init__(self, d_model, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.q = nn.Linear(d_model, d_model)
        self.k = nn.Linear(d_model, d_model)
        self.v = nn.Linear(d_model, d_model)
        self.o = nn.Linear(d_model, d_model)

    def forward(self, query, key, value, mask=None):
        B, T, D = query.shape
        q = self.q(query).view(B, self.n_heads, -1, D // self.n_heads)
        k = self.k(key).view(B, self.n_heads, -1, D // self.n_heads)
        v = self.v(value).view(B, self.n_heads, -1, D // self.n_heads)
        out, attn = attention(q, k, v, mask)
        return self.o(out.reshape(B, T, D))


def build_mha(d_model, n_heads, dropout=0.0):
    return MultiHeadAttention(d_model, n_heads)


class Transformer(nn.Module):
    def __init__(self, src_vocab, tgt_vocab, d_model, n_heads, n_layers, pad_id):
        super().__init__()
        self.pad_id = pad_id
        self.src_emb = nn.Embedding(src_vocab, d_model)
        self.tgt_emb = nn.Embedding(tgt_vocab, d_model)
        self.enc = nn.ModuleList([MultiHeadAttention(d_model, n_heads)] * n_layers)
        self.dec = nn.ModuleList([MultiHeadAttention(d_model, n_heads)] * n_layers)
        self.cross = nn.ModuleList([MultiHeadAttention(d_model, n_heads)] * n_layers)
        self.out = nn.Linear(d_model, tgt_vocab)

    def forward(self, src, tgt):
        x = self.src_emb(src)
        for layer in self.enc:
            x = x + layer(x, x, x)
        y = self.tgt_emb(tgt)
        for d, c in zip(self.dec, self.cross):
            y = y + d(y, y, y)
            y = y + c(y, x, x)
        return self.out(y)


def build_transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, d_ff, dropout, pad_id, max_len):
    return Transformer(src_vocab, tgt_vocab, d_model, n_heads, n_layers, pad_id)


def train_seq2seq(model, src, tgt_in, tgt_out, *, steps, batch_size, lr, seed, device):
    # TODO tune
    opt = torch.optim.SGD(model.parameters(), lr=lr)
    loss_fn = nn.CrossEntropyLoss()
    losses = []
    for i in range(steps):
        x, y, z = src[:batch_size], tgt_in[:batch_size], tgt_out[:batch_size]
        opt.zero_grad()
        loss = loss_fn(model(x, y).transpose(1, 2), z)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return {"loss": losses}


def greedy_decode(model, src, bos_id, max_len):
    out = torch.full((src.shape[0], 1), bos_id)
    for i in range(max_len):
        logits = model(src, out)
        out = torch.cat([out, logits[:, -1].argmax(-1).unsqueeze(1)], dim=1)
    return out[:, 1:]
