"""Scaled dot-product attention against the formula, one property at a time.

The scale is measured from second differences of log-weights, which no choice of softmax axis changes: a wrong axis
and a wrong scale are two slips, and each is deducted by itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import compare, require

CLOSE = 1e-4
"""Weights and outputs in float32 against float64."""
SCALE = 2e-3
"""Relative error of the scale; the nearest known slip, sqrt(d_model) with two heads, is off by 1.4."""


def curvature(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(..., Tq, Tk) centred over both axes: what remains is the interaction of query and key."""
    rows = values - values.mean(axis=-1, keepdims=True)
    return np.asarray(rows - rows.mean(axis=-2, keepdims=True))


def measured_scale(tools: Any, candidate: Any, q: NDArray[Any], k: NDArray[Any]) -> tuple[float, float]:
    """(factor between raw scores and log-weights, relative misfit)."""
    weights = tools.weigh(candidate, q, k)
    require(bool((weights > 0).all()), "weights of moderate scores must be positive")
    raw = curvature(q.astype(np.float64) @ k.astype(np.float64).swapaxes(-1, -2)).ravel()
    logs = curvature(np.log(weights)).ravel()
    factor = float(logs @ raw / (raw @ raw))
    return factor, float(np.linalg.norm(logs - factor * raw) / np.linalg.norm(raw))


@pytest.mark.check(
    "scale",
    criterion="attention",
    points=5,
    title="scores are divided by the square root of the size of a key",
    title_zh="分数除以键的维度的平方根",
    hint="Divide q @ k^T by sqrt(dk), the last size of q, before the softmax.",
    hint_zh="在 softmax 之前把 q @ k^T 除以 sqrt(dk)，dk 是 q 的最后一维。",
)
def test_scale(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    q, k = 0.5 * tools.normal(rng, 2, 2, 5, 64), 0.5 * tools.normal(rng, 2, 2, 6, 64)
    diagnosis.closest(tools.weigh(candidate, q, k), tools.plain_slips(q, k), atol=CLOSE, what="weights for dk = 64")
    for dk in (1, 4, 64):
        q, k = 0.5 * tools.normal(rng, 2, 2, 5, dk), 0.5 * tools.normal(rng, 2, 2, 6, dk)
        factor, misfit = measured_scale(tools, candidate, q, k)
        ratio = factor * np.sqrt(dk)
        if dk == 64 and misfit < SCALE:
            name_the_scale(diagnosis, ratio)
        require(misfit < SCALE, f"for dk = {dk} the log-weights are no multiple of the scores (misfit {misfit:.2g})")
        require(abs(ratio - 1) < SCALE, f"for dk = {dk} the scores are multiplied by {factor:.4g}")


def name_the_scale(diagnosis: Any, ratio: float) -> None:
    """Known factors for dk = 64 and two heads, relative to the formula's."""
    known = {
        "missing_scale": 8.0,
        "scaled_by_dk": 1 / 8,
        "scale_multiplied": 64.0,
        "scaled_by_d_model": 1 / np.sqrt(2),
    }
    for bug, factor in known.items():
        if abs(ratio / factor - 1) < SCALE:
            line = f"log-weight differences are {ratio:.3f} times those of the formula (dk = 64, two heads)"
            diagnosis.suspect(bug, confidence=0.95, evidence=line)


@pytest.mark.check(
    "sums_over_keys",
    criterion="attention",
    points=2,
    title="the softmax goes over the keys for any sizes",
    title_zh="任意大小下 softmax 都沿键的轴",
    hint="dim=-1: for each query, head and batch item the weights over the keys add up to one.",
    hint_zh="dim=-1：对每个查询、每个头、每个批量元素，键上的权重之和为 1。",
)
def test_sums_over_keys(candidate: Any, rng: np.random.Generator, tools: Any) -> None:
    for B, H, Tq, Tk in ((1, 1, 1, 1), (2, 3, 5, 2), (3, 2, 1, 7), (1, 4, 4, 4)):
        weights = tools.weigh(candidate, tools.normal(rng, B, H, Tq, 8), tools.normal(rng, B, H, Tk, 8))
        require(bool((weights >= -1e-6).all()), "a negative weight")
        compare.close(weights.sum(axis=-1), np.ones((B, H, Tq)), atol=CLOSE, what="the sums over the keys")


@pytest.mark.check(
    "value_mixing",
    criterion="attention",
    points=4,
    title="the output is the average of the values under the returned weights",
    title_zh="输出是按返回的权重对值加权的平均",
    hint="out = weights @ v, for each head by itself; return those weights too, after softmax and mask.",
    hint_zh="out = weights @ v，每个头各自计算；返回的也是经过 softmax 和掩码之后的权重。",
)
def test_value_mixing(candidate: Any, rng: np.random.Generator, tools: Any, evidence: Any) -> None:
    q, k, v = tools.normal(rng, 2, 3, 5, 8), tools.normal(rng, 2, 3, 5, 8), tools.normal(rng, 2, 3, 5, 7)
    answer = candidate.call("attention", q, k, v)
    out = tools.bounded(answer.tensor(shape=(2, 3, 5, 7), dtype="floating", what="out"))
    second = answer.item(1, what="attention").tensor(shape=(2, 3, 5, 5), dtype="floating", what="weights")
    weights = tools.bounded(second)
    wanted = tools.weights_of(q, k)
    shown = np.concatenate([weights[0, 0], wanted[0, 0]], axis=1)
    columns = [*(f"got {j}" for j in range(5)), *(f"formula {j}" for j in range(5))]
    evidence.matrix(
        "attention_map", shown, title="Attention weights and the formula's", x="key", y="query", columns=columns
    )
    compare.close(out, weights @ v.astype(np.float64), atol=CLOSE, rtol=CLOSE, what="the output")


@pytest.mark.check(
    "key_order",
    criterion="attention",
    points=2,
    title="the order of keys and values does not matter",
    title_zh="键和值的顺序不影响结果",
    hint="attention itself knows no positions: permuting keys and values together changes nothing.",
    hint_zh="attention 本身不含位置信息：键和值一起重排，结果不变。",
)
def test_key_order(candidate: Any, rng: np.random.Generator, tools: Any) -> None:
    q, k, v = tools.normal(rng, 2, 2, 4, 8), tools.normal(rng, 2, 2, 6, 8), tools.normal(rng, 2, 2, 6, 8)
    order = rng.permutation(6)
    moved = tools.attend(candidate, q, k[:, :, order], v[:, :, order])
    compare.close(moved, tools.attend(candidate, q, k, v), atol=CLOSE, what="the output for permuted keys and values")


@pytest.mark.check(
    "queries_apart",
    criterion="attention",
    points=2,
    title="each query, head and batch item is treated by itself",
    title_zh="每个查询、每个头、每个批量元素互不影响",
    hint="No softmax, sum or norm may run over queries, heads or the batch.",
    hint_zh="softmax、求和或归一化都不能跨查询、跨头或跨批量。",
)
def test_queries_apart(candidate: Any, rng: np.random.Generator, tools: Any) -> None:
    q, k, v = tools.normal(rng, 3, 2, 4, 8), tools.normal(rng, 3, 2, 6, 8), tools.normal(rng, 3, 2, 6, 8)
    whole = tools.attend(candidate, q, k, v)
    other = q.copy()
    other[:, :, 1:] = tools.normal(rng, 3, 2, 3, 8)
    compare.close(tools.attend(candidate, other, k, v)[:, :, 0], whole[:, :, 0], atol=CLOSE, what="a kept query")
    for part, what in ((np.s_[:, 1], "a kept head"), (np.s_[2], "a kept batch item")):
        changed = [tools.normal(rng, *array.shape) for array in (q, k, v)]
        for new, old in zip(changed, (q, k, v), strict=True):
            new[part] = old[part]
        compare.close(tools.attend(candidate, *changed)[part], whole[part], atol=CLOSE, what=what)


@pytest.mark.check(
    "large_scores",
    criterion="attention",
    points=1,
    title="large scores give finite weights",
    title_zh="很大的分数也得到有限的权重",
    hint="exp overflows from 89 on in float32: use softmax, or subtract the largest score first.",
    hint_zh="float32 的 exp 从 89 起溢出：用 softmax，或先减去最大的分数。",
)
def test_large_scores(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    q = np.zeros((1, 1, 2, 4), np.float32)
    q[..., 0, 0], q[..., 1, 0] = 20, -20
    k = np.zeros((1, 1, 3, 4), np.float32)
    k[0, 0, :, 0] = [20, 0, -20]  # scaled scores of 200, 0, -200, and the reverse
    v = tools.normal(rng, 1, 1, 3, 5)
    found = candidate.call("attention", q, k, v).tensor(shape=(1, 1, 2, 5), dtype="floating", finite=False, what="out")
    if not np.isfinite(found).all():
        line = f"{int((~np.isfinite(found)).sum())} of {found.size} outputs are not finite for scores of 200"
        diagnosis.suspect("softmax_overflows", confidence=0.8, evidence=line)
    require(np.isfinite(found).all(), "the output holds NaN or infinity for scores of 200")
    compare.close(tools.bounded(found), v[:, :, [0, 2]].astype(np.float64), atol=CLOSE, what="the output")
