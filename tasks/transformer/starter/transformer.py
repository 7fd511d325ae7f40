"""Transformer: fill in the five functions. PROMPT.md says what each of them promises."""

from __future__ import annotations

import torch
from torch import nn


def attention(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scaled dot-product attention: returns (out, weights).

    q: (B, H, Tq, dk), k: (B, H, Tk, dk), v: (B, H, Tk, dv); mask: bool, True = MAY ATTEND, broadcastable to
    (B, H, Tq, Tk). out: (B, H, Tq, dv), weights: (B, H, Tq, Tk).
    """
    raise NotImplementedError


def build_mha(d_model: int, n_heads: int, dropout: float = 0.0) -> nn.Module:
    """Return a new multi-head attention module.

    module(query, key, value, mask=None) with (B, Tq, d_model), (B, Tk, d_model), (B, Tk, d_model) and a bool mask
    (B, Tq, Tk), True = MAY ATTEND, returns (B, Tq, d_model). No residual and no norm inside.
    """
    raise NotImplementedError


def build_transformer(
    src_vocab: int,
    tgt_vocab: int,
    d_model: int,
    n_heads: int,
    n_layers: int,
    d_ff: int,
    dropout: float,
    pad_id: int,
    max_len: int,
) -> nn.Module:
    """Return a new encoder-decoder Transformer with `n_layers` layers on each side.

    module(src, tgt) with int64 tokens (B, S) and (B, T) returns logits (B, T, tgt_vocab). Masks are built inside.
    """
    raise NotImplementedError


def train_seq2seq(
    model: nn.Module,
    src: torch.Tensor,
    tgt_in: torch.Tensor,
    tgt_out: torch.Tensor,
    *,
    steps: int,
    batch_size: int,
    lr: float,
    seed: int,
    device: str,
) -> dict[str, list[float]]:
    """Train `model` in place for `steps` updates and return {"loss": [...]}.

    src: (N, S), tgt_in: (N, T) starts with BOS, tgt_out: (N, T) is the same sequence one place ahead; all int64.
    """
    raise NotImplementedError


def greedy_decode(model: nn.Module, src: torch.Tensor, bos_id: int, max_len: int) -> torch.Tensor:
    """Return the most probable tokens, one after the other: (B, max_len) int64 without BOS, for src (B, S)."""
    raise NotImplementedError
