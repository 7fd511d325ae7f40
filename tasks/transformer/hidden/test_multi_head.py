"""Multi-head attention as a black box: how heads are split, merged and used shows whatever the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import compare, require

CLOSE = 1e-4
"""Differences of outputs in float32."""
ALIVE, DEAD = 1e-3, 1e-4
"""Singular values relative to the largest: of live heads above the first, of none between the two."""


def head_count(tools: Any, candidate: Any, rng: np.random.Generator, d_model: int, n_heads: int) -> int:
    """How many heads mix values independently of each other.

    With two keys, each head's output is one number (its weight of the first key) times one fixed vector. So the outputs
    of many queries span exactly as many dimensions as there are heads.
    """
    run = tools.new_mha(candidate, d_model, n_heads)
    memory = 2 * tools.normal(rng, 1, 2, d_model)
    outputs = run(6 * tools.normal(rng, 1, 96, d_model), memory, 2 * tools.normal(rng, 1, 2, d_model))[0]
    values = np.linalg.svd(outputs - outputs.mean(axis=0), compute_uv=False)
    require(bool(values[0] > 1e-6), "the output does not depend on the query")
    require(not bool(np.any((values > DEAD * values[0]) & (values < ALIVE * values[0]))), "heads are all but dead")
    return int(np.sum(values > ALIVE * values[0]))


@pytest.mark.check(
    "heads_live",
    criterion="multi_head",
    points=4,
    title="exactly n_heads heads attend independently of each other",
    title_zh="恰有 n_heads 个头各自独立地做注意力",
    hint="Each head has a softmax of its own over its own d_model / n_heads features.",
    hint_zh="每个头在自己的 d_model / n_heads 个特征上有自己的 softmax。",
)
def test_heads_live(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    for d_model, n_heads in ((32, 4), (24, 2), (16, 1)):
        found = head_count(tools, candidate, rng, d_model, n_heads)
        if found == 1 < n_heads:
            line = f"the outputs of 96 queries over two keys span 1 dimension; {n_heads} heads span {n_heads}"
            diagnosis.suspect("single_head", confidence=0.9, evidence=line)
        require(found == n_heads, f"{found} independent heads where {n_heads} were asked for")


@pytest.mark.check(
    "heads_split",
    criterion="multi_head",
    points=5,
    title="splitting and merging heads keeps tokens apart",
    title_zh="拆分与合并头时不会混淆词元",
    hint="(B, T, D) -> view (B, T, H, D/H) -> transpose to (B, H, T, D/H), and the same way back before the output.",
    hint_zh="(B, T, D) 先 view 成 (B, T, H, D/H)，再转置为 (B, H, T, D/H)；合并时按相反的顺序。",
)
def test_heads_split(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    # Where all values are one vector, every average of them is that vector: each row of the output must be the same,
    # whatever the queries and keys. Features of different heads or tokens in one place show at once.
    run = tools.new_mha(candidate, 16, 4)
    value = np.repeat(tools.normal(rng, 2, 1, 16), 6, axis=1)
    first = run(tools.normal(rng, 2, 6, 16), tools.normal(rng, 2, 6, 16), value)
    second = run(4 * tools.normal(rng, 2, 6, 16), 4 * tools.normal(rng, 2, 6, 16), value)
    depends, spread = float(np.abs(first - second).max()), float(np.ptp(first, axis=1).max())
    if depends > CLOSE:
        line = f"six equal values, yet the output moves by {depends:.2g} with queries and keys"
        diagnosis.suspect("view_in_split", confidence=0.8, evidence=line)
    elif spread > CLOSE:
        line = f"six equal values, yet rows of the output differ by {spread:.2g}, the same for any queries"
        diagnosis.suspect("view_in_merge", confidence=0.9, evidence=line)
    require(depends <= CLOSE, f"with equal values the output depends on queries and keys (by {depends:.2g})")
    require(spread <= CLOSE, f"with equal values the rows of the output differ by {spread:.2g}")


@pytest.mark.check(
    "mha_key_order",
    criterion="multi_head",
    points=3,
    title="the order of keys and values does not matter to the module",
    title_zh="键和值的顺序不影响模块的输出",
    hint="build_mha adds no positions, and a head's features of one token stay with that token.",
    hint_zh="build_mha 不加位置信息；一个词元在某个头上的特征始终属于该词元。",
)
def test_mha_key_order(candidate: Any, rng: np.random.Generator, tools: Any) -> None:
    run = tools.new_mha(candidate, 16, 4)
    query, key, value = tools.normal(rng, 2, 3, 16), tools.normal(rng, 2, 6, 16), tools.normal(rng, 2, 6, 16)
    order, base = rng.permutation(6), run(query, key, value)
    compare.close(run(query, key[:, order], value[:, order]), base, atol=CLOSE, what="the output for permuted keys")
    moved = float(np.abs(run(query, key, value[:, ::-1].copy()) - base).max())
    require(moved > CLOSE, "the output does not depend on which value belongs to which key")


@pytest.mark.check(
    "mha_queries",
    criterion="multi_head",
    points=1,
    title="each row of the output belongs to one query",
    title_zh="输出的每一行对应一个查询",
    hint="Permuting the queries permutes the rows of the output, and nothing else.",
    hint_zh="重排查询只会同样地重排输出的行。",
)
def test_mha_queries(candidate: Any, rng: np.random.Generator, tools: Any) -> None:
    run = tools.new_mha(candidate, 16, 4)
    query, memory = tools.normal(rng, 2, 5, 16), tools.normal(rng, 2, 6, 16)
    order = rng.permutation(5)
    whole = run(query, memory, memory)
    compare.close(
        run(query[:, order], memory, memory), whole[:, order], atol=CLOSE, what="the rows of permuted queries"
    )
    compare.close(run(query[:, 2:3], memory, memory), whole[:, 2:3], atol=CLOSE, what="the row of a query alone")


@pytest.mark.check(
    "mha_batch",
    criterion="multi_head",
    points=2,
    title="batch items do not influence each other",
    title_zh="批量中的元素互不影响",
    hint="Batch first everywhere: (B, T, d_model); nothing runs over the first axis.",
    hint_zh="始终批量在前：(B, T, d_model)。任何运算都不跨第一个轴。",
)
def test_mha_batch(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    run = tools.new_mha(candidate, 16, 4)
    query, memory = tools.normal(rng, 4, 4, 16), tools.normal(rng, 4, 4, 16)
    whole = run(query, memory, memory)
    alone = run(query[1:2], memory[1:2], memory[1:2])
    gap = float(np.abs(alone - whole[1:2]).max())
    if gap > CLOSE:
        line = f"an item of a batch of four differs by {gap:.2g} from the same item alone"
        diagnosis.suspect("batch_mixed", confidence=0.7, evidence=line)
    compare.close(alone, whole[1:2], atol=CLOSE, what="an item alone")


@pytest.mark.check(
    "projections",
    criterion="multi_head",
    points=1,
    title="queries, keys, values and output have projections of their own",
    title_zh="查询、键、值和输出各有自己的投影",
    hint="Four d_model x d_model projections, registered with the module (no plain Python lists).",
    hint_zh="四个 d_model x d_model 的投影，并注册到模块中（不要放在普通的 Python 列表里）。",
)
def test_projections(candidate: Any, tools: Any, diagnosis: Any) -> None:
    counts = {d: tools.new_mha(candidate, d, 4).module.parameters().count for d in (16, 32)}
    for d, count in counts.items():
        if count < d * d:
            diagnosis.suspect("layers_in_a_list", confidence=0.6, evidence=f"{count} parameters for d_model = {d}")
        low, high = 3.5 * d * d, 4.5 * d * d + 8 * d
        require(low <= count <= high, f"{count} parameters for d_model = {d}; four projections have {4 * d * d}")
