"""What you can check yourself: `grader check` runs this file. The hidden suite asks the same and more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import compare, require
from grader.judge.maths import log_softmax

Floats = NDArray[np.float32]
PAD, BOS, VOCAB = 0, 1, 10


def normal(rng: np.random.Generator, *shape: int) -> Floats:
    """Standard normal float32 numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def model_of(candidate: Any, *, dropout: float = 0.0) -> Any:
    """A small model in evaluation mode: 10 + 10 tokens, two layers, padding 0."""
    model = candidate.call("build_transformer", VOCAB, VOCAB, 32, 4, 2, 64, dropout, PAD, 16).handle(what="the model")
    model.eval()
    return model


def reversals(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], ...]:
    """Sequences of 2 to 4 tokens and their reversals: src, tgt_in, tgt_out, each (count, 4), padded with 0."""
    src, tgt_in, tgt_out = (np.full((count, 4), PAD) for _ in range(3))
    for row in range(count):
        tokens = rng.integers(2, VOCAB, rng.integers(2, 5))
        src[row, : len(tokens)], tgt_out[row, : len(tokens)] = tokens, tokens[::-1]
        tgt_in[row, : len(tokens)] = [BOS, *tokens[::-1][:-1]]
    return src, tgt_in, tgt_out


@pytest.mark.check(
    "attention_shapes",
    criterion="attention",
    points=2,
    title="attention returns (out, weights) of the right shapes",
    title_zh="attention 返回形状正确的 (out, weights)",
    hint="out is (B, H, Tq, dv), weights is (B, H, Tq, Tk); dv may differ from dk, Tq from Tk.",
    hint_zh="out 为 (B, H, Tq, dv)，weights 为 (B, H, Tq, Tk)；dv 可以不等于 dk，Tq 可以不等于 Tk。",
)
def test_attention_shapes(candidate: Any, rng: np.random.Generator) -> None:
    answer = candidate.call("attention", normal(rng, 2, 3, 4, 8), normal(rng, 2, 3, 5, 8), normal(rng, 2, 3, 5, 6))
    answer.tensor(shape=(2, 3, 4, 6), dtype="floating", what="out")
    answer.item(1, what="attention").tensor(shape=(2, 3, 4, 5), dtype="floating", what="weights")


@pytest.mark.check(
    "rows_sum_to_one",
    criterion="attention",
    points=2,
    title="the weights of each query add up to one",
    title_zh="每个查询的权重之和为 1",
    hint="Softmax over the keys, the last axis of the scores.",
    hint_zh="softmax 沿键的轴，即分数的最后一个轴。",
)
def test_rows_sum_to_one(candidate: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    q, k, v = normal(rng, 2, 3, 4, 8), normal(rng, 2, 3, 5, 8), normal(rng, 2, 3, 5, 6)
    answer = candidate.call("attention", q, k, v).item(1, what="attention")
    weights = answer.tensor(shape=(2, 3, 4, 5), dtype="floating", what="weights").astype(np.float64)
    columns = np.abs(np.clip(weights, -1e6, 1e6).sum(axis=-2) - 1).max()
    if columns < 1e-4:
        line = f"over the queries the weights add up to one within {columns:.0e}, over the keys they do not"
        diagnosis.suspect("softmax_over_queries", confidence=0.9, evidence=line)
    require(bool((weights >= -1e-6).all()), "a negative weight")
    compare.close(weights.sum(axis=-1), np.ones((2, 3, 4)), atol=1e-4, what="the sums over the keys")


@pytest.mark.check(
    "mha_shape",
    criterion="multi_head",
    points=2,
    title="the module of build_mha returns (B, Tq, d_model)",
    title_zh="build_mha 的模块返回 (B, Tq, d_model)",
    hint="Batch first; the number of keys may differ from the number of queries.",
    hint_zh="批量在前；键的数量可以不等于查询的数量。",
)
def test_mha_shape(candidate: Any, rng: np.random.Generator) -> None:
    module = candidate.call("build_mha", 16, 4).handle(what="the module")
    module.eval()
    memory = normal(rng, 3, 5, 16)
    out = module(normal(rng, 3, 2, 16), memory, memory).tensor(shape=(3, 2, 16), dtype="floating", what="the output")
    require(bool(np.abs(out).max() > 1e-6), "the output is zero")


def hidden_share(candidate: Any, rng: np.random.Generator) -> float:
    """The share of `attention`'s weights that goes to keys whose mask is False."""
    q, k, v = normal(rng, 2, 2, 4, 8), normal(rng, 2, 2, 6, 8), normal(rng, 2, 2, 6, 8)
    mask = np.arange(6) < 3  # (Tk,): keys 0 to 2 may be attended to
    mask = np.broadcast_to(mask, (2, 2, 4, 6)).copy()
    answer = candidate.call("attention", q, k, v, mask).item(1, what="attention")
    weights = answer.tensor(shape=(2, 2, 4, 6), dtype="floating", what="weights").astype(np.float64)
    total = np.abs(weights).sum()
    require(bool(total > 1e-6), "all weights are zero")
    return float(np.abs(weights[~mask]).sum() / total)


def moves(candidate: Any, rng: np.random.Generator) -> tuple[float, float]:
    """How far a module's output moves when keys and values move that the mask (allows, hides)."""
    module = candidate.call("build_mha", 16, 2).handle(what="the module")
    module.eval()
    query, memory = normal(rng, 2, 3, 16), normal(rng, 2, 6, 16)
    mask = np.broadcast_to(np.arange(6) < 3, (2, 3, 6)).copy()

    def out(keys: Floats) -> NDArray[np.float64]:
        found = module(query, keys, keys, mask).tensor(shape=(2, 3, 16), dtype="floating", what="the output")
        return np.clip(found.astype(np.float64), -1e6, 1e6)

    base, change = out(memory), normal(rng, 2, 6, 16)
    allowed = out(memory + change * (np.arange(6) < 3)[:, None].astype(np.float32))
    forbidden = out(memory + change * (np.arange(6) >= 3)[:, None].astype(np.float32))
    return float(np.abs(allowed - base).max()), float(np.abs(forbidden - base).max())


@pytest.mark.check(
    "mask_convention",
    criterion="masks",
    points=3,
    title="True in a mask means: may attend",
    title_zh="掩码中的 True 表示可以关注",
    hint="TRUE = MAY ATTEND: fill the scores where the mask is False. Functions that mean the opposite need ~mask.",
    hint_zh="TRUE = 可以关注：在掩码为 False 处填充分数。含义相反的函数需要传入 ~mask。",
)
def test_mask_convention(candidate: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    share = hidden_share(candidate, rng)
    allowed, forbidden = moves(candidate, rng)
    if share > 0.999:
        line = f"with a mask, {share:.1%} of the weight goes to keys whose mask is False"
        diagnosis.suspect("mask_inverted", confidence=0.95, evidence=line)
    if allowed < 1e-6 < forbidden:
        line = f"the output moves by {forbidden:.2g} with keys whose mask is False, by {allowed:.1g} with the others"
        diagnosis.suspect("mha_mask_inverted", confidence=0.95, evidence=line)
    # Half of it goes there where the mask is ignored; that costs the marks of other checks, not these.
    require(share < 0.8, f"attention gives {share:.0%} of its weight to keys whose mask is False")
    require(allowed > 1e-6 or forbidden < 1e-6, "the module of build_mha attends to keys whose mask is False only")


@pytest.mark.check(
    "logits_shape",
    criterion="wiring",
    points=2,
    title="the model gives one row of logits per target position",
    title_zh="模型为目标序列的每个位置给出一行 logits",
    hint="(B, T, tgt_vocab), or flattened (B * T, tgt_vocab); logits or log-probabilities, no probabilities.",
    hint_zh="形状 (B, T, tgt_vocab)，或展平的 (B * T, tgt_vocab)；logits 或对数概率，不能是概率。",
)
def test_logits_shape(candidate: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    model = model_of(candidate)
    src, tgt = rng.integers(2, VOCAB, (3, 6)), rng.integers(2, VOCAB, (3, 4))
    rows = model(src, tgt).tensor(dtype="floating", what="the logits")
    require(rows.shape in ((3, 4, VOCAB), (12, VOCAB)), f"the logits have the shape {rows.shape}")
    require(bool(np.any(rows != rows.reshape(-1)[0])), "the logits are all equal")
    sums = np.clip(rows.astype(np.float64), -1e6, 1e6).sum(axis=-1)
    squashed = bool((rows >= 0).all() and np.abs(sums - 1).max() < 1e-3)
    if squashed:
        line = f"rows of the output are not negative and add up to one within {np.abs(sums - 1).max():.0e}"
        diagnosis.suspect("softmax_in_forward", confidence=0.95, evidence=line)
    require(not squashed, "forward returns probabilities; logits or log-probabilities are asked for")


@pytest.mark.check(
    "causal",
    criterion="masks",
    points=1,
    title="earlier rows of logits do not depend on later target tokens",
    title_zh="前面的 logits 不依赖后面的目标词元",
    hint="Row t of the decoder's self-attention may see positions 0 to t.",
    hint_zh="解码器自注意力的第 t 行只能看到位置 0 到 t。",
)
def test_causal(candidate: Any, rng: np.random.Generator) -> None:
    model = model_of(candidate)
    src, tgt = rng.integers(2, VOCAB, (2, 5)), rng.integers(2, VOCAB, (2, 5))
    other = tgt.copy()
    other[:, 4] = (tgt[:, 4] - 1) % 8 + 2

    def rows(tokens: NDArray[np.int64]) -> NDArray[np.float64]:
        found = model(src, tokens).tensor(dtype="floating", what="the logits")
        require(found.size == 2 * 5 * VOCAB, f"the logits have the shape {found.shape}")
        return log_softmax(np.clip(found.astype(np.float64), -1e6, 1e6).reshape(2, 5, VOCAB))[:, :4]

    compare.close(rows(other), rows(tgt), atol=1e-4, what="the logits before the changed token")


@pytest.mark.check(
    "eval_repeatable",
    criterion="evaluation",
    points=1,
    title="in evaluation mode a repeated call gives the same logits",
    title_zh="评估模式下重复调用得到相同的 logits",
    hint="Dropout must follow model.eval(): use nn.Dropout, or F.dropout with training=self.training.",
    hint_zh="dropout 必须服从 model.eval()：用 nn.Dropout，或带 training=self.training 的 F.dropout。",
)
def test_eval_repeatable(candidate: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    model = model_of(candidate, dropout=0.3)
    src, tgt = rng.integers(2, VOCAB, (2, 5)), rng.integers(2, VOCAB, (2, 4))
    first, second = (model(src, tgt).tensor(dtype="floating", what="the logits") for _ in range(2))
    require(first.size == second.size == 2 * 4 * VOCAB, f"the logits have the shape {first.shape}")
    if first.shape == second.shape and (gap := float(np.abs(np.clip(first, -1e6, 1e6) - second).max())) > 1e-4:
        line = f"two calls in evaluation mode with dropout 0.3 differ by {gap:.2g}"
        diagnosis.suspect("dropout_always_on", confidence=0.9, evidence=line)
    compare.close(first, second, atol=1e-5, what="the second call")


@pytest.mark.check(
    "decode_shape",
    criterion="evaluation",
    points=1,
    title="greedy_decode gives max_len integer tokens per sequence",
    title_zh="greedy_decode 为每个序列给出 max_len 个整数词元",
    hint="int64 of shape (B, max_len), without the BOS that decoding starts from.",
    hint_zh="形状为 (B, max_len) 的 int64，不含作为起点的 BOS。",
)
def test_decode_shape(candidate: Any, rng: np.random.Generator) -> None:
    model = model_of(candidate)
    for count, length in ((3, 4), (1, 1)):
        src = rng.integers(2, VOCAB, (count, 5))
        tokens = candidate.call("greedy_decode", model, src, BOS, length)
        found = tokens.tensor(shape=(count, length), dtype="integer", what="greedy_decode")
        require(bool(((found >= 0) & (found < VOCAB)).all()), "a token outside the vocabulary")


@pytest.mark.check(
    "loss_falls",
    criterion="learning",
    points=1,
    title="train_seq2seq returns losses that fall",
    title_zh="train_seq2seq 返回下降的损失",
    hint='Return {"loss": [...]}. Each step: zero_grad, forward, loss, backward, step.',
    hint_zh='返回 {"loss": [...]}。每一步：zero_grad、前向、损失、backward、step。',
)
def test_loss_falls(candidate: Any, rng: np.random.Generator, device: str) -> None:
    data = reversals(rng, 400)
    model = model_of(candidate)
    settings = {"steps": 60, "batch_size": 32, "lr": 3e-3, "seed": 1, "device": device}
    log = candidate.within(cpu_s=60).call("train_seq2seq", model, *data, **settings)
    losses = log.floats("loss", what="the loss list")
    require(len(losses) >= 1 and bool(np.isfinite(losses).all()), f"losses {losses[:5]}")
    quarter = max(1, len(losses) // 4)
    first, last = float(np.mean(losses[:quarter])), float(np.mean(losses[-quarter:]))
    require(len(losses) == 1 or last < 0.97 * first, f"from {first:.3f} to {last:.3f}")
