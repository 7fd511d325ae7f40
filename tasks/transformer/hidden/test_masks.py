"""Masks: hidden keys count for nothing, each batch item has its own, and the model builds the right ones.

Probes of `attention` and `build_mha` hand over masks in the candidate's own sense: an inverted convention is deducted
in `mask_convention` alone. No row without a visible key is ever tested.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import compare, require

CLOSE = 1e-4
"""Log-probabilities and outputs in float32; seven public Transformers stay below 1.4e-6."""
MOVES = 1e-5
"""What depends on a token moves by more: several times what rounding did in seven public Transformers (1.4e-6)."""


def some_visible(rng: np.random.Generator, *shape: int) -> NDArray[np.bool_]:
    """A random mask (..., Tk) with at least one True and one False in each row."""
    mask = rng.random(shape) < 0.5
    places = np.argsort(rng.random(shape), axis=-1)
    np.put_along_axis(mask, places[..., :1], values=True, axis=-1)
    np.put_along_axis(mask, places[..., 1:2], values=False, axis=-1)
    return mask


@pytest.mark.check(
    "mask_truncates",
    criterion="masks",
    points=3,
    title="hidden keys count as if they were not there",
    title_zh="被遮住的键等于不存在",
    hint="Fill the scores of hidden keys with -inf before the softmax, and keep the result of masked_fill.",
    hint_zh="在 softmax 之前把被遮住的键的分数填为 -inf，并使用 masked_fill 的返回值。",
)
def test_mask_truncates(candidate: Any, rng: np.random.Generator, tools: Any, senses: Any, diagnosis: Any) -> None:
    q, k, v = tools.normal(rng, 2, 2, 4, 8), tools.normal(rng, 2, 2, 7, 8), tools.normal(rng, 2, 2, 7, 5)
    drawn, sense = some_visible(rng, 2, 2, 4, 7), senses.attention()
    if not sense.inverted:
        weights = tools.weigh(candidate, q, k, drawn)
        diagnosis.closest(weights, tools.masked_slips(q, k, drawn), atol=CLOSE, what="weights under a mask")
    mask = np.broadcast_to(np.arange(7) < 4, (2, 2, 4, 7))
    short = tools.attend(candidate, q, k[:, :, :4], v[:, :, :4])
    compare.close(tools.attend(candidate, q, k, v, sense(mask)), short, atol=CLOSE, what="the output with hidden keys")


@pytest.mark.check(
    "masked_rows_sum",
    criterion="masks",
    points=1,
    title="under a mask the weights still add up to one",
    title_zh="有掩码时权重之和仍为 1",
    hint="Mask the scores, not the weights: the softmax must come after the mask.",
    hint_zh="要遮住分数而不是权重：先加掩码，再做 softmax。",
)
def test_masked_rows_sum(candidate: Any, rng: np.random.Generator, tools: Any, senses: Any) -> None:
    q, k, mask = tools.normal(rng, 2, 2, 4, 8), tools.normal(rng, 2, 2, 6, 8), some_visible(rng, 2, 2, 4, 6)
    weights = tools.weigh(candidate, q, k, senses.attention()(mask))
    compare.close(weights.sum(axis=-1), np.ones((2, 2, 4)), atol=CLOSE, what="the sums over the keys")


@pytest.mark.check(
    "mask_is_strong",
    criterion="masks",
    points=2,
    title="hidden keys get no weight however large their scores are",
    title_zh="被遮住的键无论分数多大都没有权重",
    hint="Use -inf, or a fill far below any score (-1e9).",
    hint_zh="用 -inf，或远低于任何分数的填充值（-1e9）。",
)
def test_mask_is_strong(candidate: Any, rng: np.random.Generator, tools: Any, senses: Any, diagnosis: Any) -> None:
    q = np.zeros((1, 1, 3, 4), np.float32)
    q[..., 0] = 20
    k = 0.1 * tools.normal(rng, 1, 1, 5, 4)
    k[0, 0, :, 0] = [-4, -4.02, 4, 4.1, -4.05]  # scaled scores of about -40 and 40: exp does not overflow yet
    mask = np.broadcast_to(np.array([True, True, False, False, True]), (1, 1, 3, 5))
    sense, visible = senses.attention(), [0, 1, 4]
    weights, mild = (tools.weigh(candidate, factor * q, k, sense(mask)) for factor in (np.float32(1), np.float32(0.02)))
    leak, mild_leak = (float(np.abs(found[~mask]).max()) for found in (weights, mild))
    if leak > CLOSE and mild_leak < CLOSE:
        line = f"hidden keys with scores of 40 beside visible ones of -40 get a weight of {leak:.3g}, small ones none"
        diagnosis.suspect("fill_too_small", confidence=0.8, evidence=line)
    require(leak < CLOSE, f"a hidden key with a large score gets a weight of {leak:.3g}")
    alone = tools.weigh(candidate, q, np.ascontiguousarray(k[:, :, visible]))
    compare.close(weights[..., visible], alone, atol=1e-3, what="the weights of the visible keys")


@pytest.mark.check(
    "mask_broadcasts",
    criterion="masks",
    points=2,
    title="each batch item has its own mask, in any shape that broadcasts",
    title_zh="批量中每个元素有自己的掩码，支持任何可广播的形状",
    hint="(B, 1, 1, Tk), (1, 1, Tq, Tk) and (B, H, Tq, Tk) are all right; do not use the first item's mask for all.",
    hint_zh="(B, 1, 1, Tk)、(1, 1, Tq, Tk)、(B, H, Tq, Tk) 都要支持；不要把第一个元素的掩码用于全部。",
)
def test_mask_broadcasts(candidate: Any, rng: np.random.Generator, tools: Any, senses: Any) -> None:
    q, k, v = tools.normal(rng, 3, 2, 4, 8), tools.normal(rng, 3, 2, 6, 8), tools.normal(rng, 3, 2, 6, 5)
    for shape in ((3, 2, 4, 6), (3, 1, 1, 6), (1, 1, 4, 6), (3, 1, 4, 6)):
        mask = some_visible(rng, *shape)
        whole = np.broadcast_to(mask, (3, 2, 4, 6)).copy()
        found = tools.attend(candidate, q, k, v, senses.attention()(mask))
        alone = [
            tools.attend(candidate, q[i:][:1], k[i:][:1], v[i:][:1], senses.attention()(whole[i:][:1]))
            for i in range(3)
        ]
        compare.close(found, np.concatenate(alone), atol=CLOSE, what=f"the output with a mask of shape {shape}")
        hidden = v + 3 * ~whole.any(axis=(1, 2))[:, None, :, None]  # values that no query may see
        moved = tools.attend(candidate, q, k, hidden.astype(np.float32), senses.attention()(mask))
        compare.close(moved, found, atol=CLOSE, what="the output after hidden values changed")


@pytest.mark.check(
    "mha_mask_truncates",
    criterion="masks",
    points=2,
    title="the module's hidden keys count as if they were not there",
    title_zh="模块中被遮住的键等于不存在",
    hint="Hand the mask (B, Tq, Tk) on to attention with an axis for the heads: mask.unsqueeze(1).",
    hint_zh="把掩码 (B, Tq, Tk) 加上头的轴后传给 attention：mask.unsqueeze(1)。",
)
def test_mha_mask_truncates(candidate: Any, rng: np.random.Generator, tools: Any, senses: Any, diagnosis: Any) -> None:
    run, sense = tools.new_mha(candidate, 16, 4), senses.mha()
    query, memory = tools.normal(rng, 2, 3, 16), tools.normal(rng, 2, 7, 16)
    mask = np.broadcast_to(np.arange(7) < 4, (2, 3, 7))
    found, short = run(query, memory, memory, sense(mask)), run(query, memory[:, :4], memory[:, :4])
    free = float(np.abs(found - run(query, memory, memory)).max())
    if free < 1e-6 < float(np.abs(found - short).max()):
        line = f"with a mask the output differs by {free:.0e} from that without one"
        diagnosis.suspect("mha_mask_ignored", confidence=0.95, evidence=line)
    compare.close(found, short, atol=CLOSE, what="the output with hidden keys")


@pytest.mark.check(
    "mha_mask_rows",
    criterion="masks",
    points=1,
    title="each query of each batch item has its own row of the mask",
    title_zh="每个批量元素的每个查询各用掩码中自己的一行",
    hint="Rows of the mask are queries, columns are keys; the batch axis stays the first.",
    hint_zh="掩码的行是查询，列是键；批量轴始终是第一个轴。",
)
def test_mha_mask_rows(candidate: Any, rng: np.random.Generator, tools: Any, senses: Any) -> None:
    run, sense = tools.new_mha(candidate, 16, 4), senses.mha()
    query, memory, mask = tools.normal(rng, 3, 4, 16), tools.normal(rng, 3, 4, 16), some_visible(rng, 3, 4, 4)
    found = run(query, memory, memory, sense(mask))
    for item in range(3):
        for row in range(4):
            seen = memory[item : item + 1, mask[item, row]]
            alone = run(query[item : item + 1, row : row + 1], seen, seen)
            compare.close(found[item, row], alone[0, 0], atol=CLOSE, what="a row under its own mask")


def influence(net: Any, rng: np.random.Generator, T: int) -> NDArray[np.float64]:
    """(T, T): how far row t of the log-probabilities moves when token j of the target changes; NaN where not finite."""
    src, tgt = net.tokens(rng, 1, 6), net.tokens(rng, 1, T, source=False)
    base = net(src, tgt, finite=False)[0]
    result = np.zeros((T, T))
    for j in range(T):
        other = tgt.copy()
        while other[0, j] == tgt[0, j]:
            other[0, j] = net.tokens(rng, 1, 1, source=False)[0, 0]
        result[:, j] = np.abs(net(src, other, finite=False)[0] - base).max(axis=-1)
    return result


def name_the_triangle(diagnosis: Any, moved: NDArray[np.float64]) -> None:
    """Which mask explains the influence of token j (column) on row t, in a model of one layer."""
    later, next_one = np.triu(moved, 1), np.diagonal(moved, 1)
    largest, beyond = float(np.nanmax(later)), float(np.nanmax(np.triu(moved, 2)))
    before, rest = np.tril(moved, -1), float(np.nanmax(np.triu(moved[1:], 2)))
    if np.isnan(moved[0]).any() and not np.isnan(moved[1:]).any():
        line = "the first row is not finite, all others are: its query sees no key, not even itself"
        diagnosis.suspect("causal_blind_to_itself", confidence=0.9, evidence=line)
    elif largest <= CLOSE:
        return
    elif float(np.nanmax(later[1:])) <= CLOSE and rest <= CLOSE:
        line = f"later tokens move the first row (by {largest:.2g}) and no other: its query sees no key, so all alike"
        diagnosis.suspect("causal_blind_to_itself", confidence=0.8, evidence=line)
    elif beyond <= CLOSE and float(next_one.min()) > CLOSE:
        line = f"each row t moves with token t + 1 (by {float(next_one.max()):.2g}) and with none after it"
        diagnosis.suspect("causal_sees_next", confidence=0.95, evidence=line)
    elif float(np.nanmax(before)) <= CLOSE:
        line = f"rows move with later tokens (by {largest:.2g}) and with no earlier one"
        diagnosis.suspect("causal_reversed", confidence=0.9, evidence=line)
    else:
        line = f"rows move with all later tokens, by up to {largest:.2g}"
        diagnosis.suspect("no_causal_mask", confidence=0.85, evidence=line)


@pytest.mark.check(
    "causal_future",
    criterion="masks",
    points=2,
    title="no row of logits depends on a later target token, not even on the next one",
    title_zh="任何一行 logits 都不依赖之后的目标词元，紧接着的一个也不行",
    hint="The mask is tril: row t sees 0 .. t. A row that sees nothing (off by one) sees everything instead.",
    hint_zh="掩码是下三角 tril：第 t 行看到 0 到 t。若错一位，什么都看不到的行反而会看到全部。",
)
def test_causal_future(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any, evidence: Any) -> None:
    net = tools.new_net(candidate, n_layers=1)
    moved = influence(net, rng, 6)
    evidence.matrix(
        "target_influence",
        moved,
        title="How far a row of logits moves with a target token (below the diagonal only)",
        x="changed target token",
        y="row of logits",
    )
    name_the_triangle(diagnosis, moved)
    require(bool(np.isfinite(moved).all()), "logits that are not finite")
    worst = float(np.triu(moved, 1).max())
    require(worst <= CLOSE, f"a row moves by {worst:.2g} when a later token changes")


@pytest.mark.check(
    "causal_past",
    criterion="masks",
    points=1,
    title="each row of logits depends on its own target token and on all earlier ones",
    title_zh="每一行 logits 依赖自己位置和之前所有位置的目标词元",
    hint="The causal mask includes the diagonal; nothing hides earlier tokens.",
    hint_zh="因果掩码包含对角线；之前的词元不能被遮住。",
)
def test_causal_past(candidate: Any, rng: np.random.Generator, tools: Any, reversal_run: Any) -> None:
    moved = influence(tools.new_net(candidate, n_layers=1), rng, 5)
    if least_past(moved) <= MOVES:
        moved = influence(reversal_run().scorer(), rng, 5)  # a new model may be initialised to do nothing
    require(bool(np.isfinite(moved).all()), "logits that are not finite")
    require(least_past(moved) > MOVES, "a row does not depend on its own or an earlier target token")


def least_past(moved: NDArray[np.float64]) -> float:
    """The smallest influence on or below the diagonal."""
    return float(np.nan_to_num(moved[np.tril_indices(len(moved))]).min())


@pytest.mark.check(
    "source_padding",
    criterion="masks",
    points=3,
    title="padding after the source changes nothing",
    title_zh="在源序列后面填充不改变结果",
    hint="Hide padded source positions as keys, (B, 1, S), in the encoder and in cross-attention.",
    hint_zh="在编码器和交叉注意力中都要把源序列的填充位置作为键遮住，形状 (B, 1, S)。",
)
def test_source_padding(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    net = tools.new_net(candidate)
    src, tgt = net.tokens(rng, 2, 5), net.tokens(rng, 2, 4, source=False)
    base = net(src, tgt)
    for count in (1, 6):
        padded = net(np.concatenate([src, net.pads(2, count)], axis=1), tgt, finite=False)
        if np.isnan(padded).any():
            line = f"{int(np.isnan(padded).sum())} logits are not finite once {count} padded positions are appended"
            diagnosis.suspect("padding_on_query_axis", confidence=0.7, evidence=line)
        elif (gap := float(np.abs(padded - base).max())) > CLOSE and count == 6:
            line = f"six padded positions after the source move the log-probabilities by {gap:.2g}"
            diagnosis.suspect("source_padding_visible", confidence=0.8, evidence=line)
        require(bool(np.isfinite(padded).all()), "logits that are not finite with padding")
    # A shorter sequence beside a longer one, as in every real batch; and each number of padded positions.
    mixed = np.concatenate([np.concatenate([src[:1], net.pads(1, 3)], axis=1), net.tokens(rng, 1, 8)])
    compare.close(net(mixed, tgt)[:1], base[:1], atol=CLOSE, what="a padded sequence beside a longer one")
    for count in (1, 6):
        padded = net(np.concatenate([src, net.pads(2, count)], axis=1), tgt)
        compare.close(padded, base, atol=CLOSE, what=f"the log-probabilities with {count} padded source positions")


@pytest.mark.check(
    "target_padding",
    criterion="masks",
    points=1,
    title="padding after the target does not change the rows before it",
    title_zh="在目标序列后面填充不改变前面的行",
    hint="The causal mask does most of it; finite logits for the rows before the padding do the rest.",
    hint_zh="因果掩码已经起了大部分作用；填充之前的行必须是有限的 logits。",
)
def test_target_padding(candidate: Any, rng: np.random.Generator, tools: Any) -> None:
    net = tools.new_net(candidate)
    src, tgt = net.tokens(rng, 2, 5), net.tokens(rng, 2, 4, source=False)
    padded = net(src, np.concatenate([tgt, net.pads(2, 3)], axis=1), finite=False)[:, :4]
    require(bool(np.isfinite(padded).all()), "logits that are not finite before the padding")
    base = net(src, tgt)
    compare.close(padded, base, atol=CLOSE, what="the rows before the padding")
