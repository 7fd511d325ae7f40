"""The signatures hold for every size that the prompt allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import require

SIZES = {
    "src_vocab": 17, "tgt_vocab": 12, "d_model": 32, "n_heads": 4, "n_layers": 2, "d_ff": 48, "dropout": 0.0,
    "pad_id": 5, "max_len": 20,
}  # fmt: skip


def normal(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    """Standard normal float32 numbers."""
    return rng.standard_normal(shape).astype(np.float32)


def model(candidate: Any, rng: np.random.Generator, **changes: int) -> Callable[[int, int, int], None]:
    """A new model in evaluation mode, as a function that runs it on B pairs of S source and T target tokens."""
    sizes = SIZES | changes
    net = candidate.call("build_transformer", *sizes.values()).handle(what="the model")
    net.eval()

    def tokens(vocabulary: int, B: int, length: int) -> NDArray[np.int64]:
        return rng.choice(np.delete(np.arange(vocabulary), int(sizes["pad_id"])), (B, length))

    def run(B: int, S: int, T: int) -> None:
        V = int(sizes["tgt_vocab"])
        src, tgt = tokens(int(sizes["src_vocab"]), B, S), tokens(V, B, T)
        shape = net(src, tgt).tensor(dtype="floating", what="the logits").shape
        require(shape in ((B, T, V), (B * T, V)), f"the logits have the shape {shape}, not {(B, T, V)}")

    return run


@pytest.mark.check(
    "mha_sizes",
    criterion="multi_head",
    points=2,
    title="any numbers of queries, keys, heads and batch items work",
    title_zh="支持任意数量的查询、键、头和批量",
    hint="Take sizes from the tensors; query and key lengths differ in cross-attention.",
    hint_zh="大小要从张量中取得；交叉注意力中查询与键的长度不同。",
)
def test_mha_sizes(candidate: Any, rng: np.random.Generator) -> None:
    for B, Tq, Tk, d_model, n_heads in ((1, 1, 1, 16, 4), (2, 3, 7, 24, 3), (3, 7, 2, 16, 1), (2, 4, 4, 8, 8)):
        module = candidate.call("build_mha", d_model, n_heads).handle(what="the module")
        module.eval()
        query, memory = normal(rng, B, Tq, d_model), normal(rng, B, Tk, d_model)
        module(query, memory, memory).tensor(shape=(B, Tq, d_model), dtype="floating", what="the output")


@pytest.mark.check(
    "model_sizes",
    criterion="wiring",
    points=2,
    title="any lengths up to max_len, vocabularies, heads and layers work",
    title_zh="支持不超过 max_len 的任意长度，以及任意词表、头数和层数",
    hint="Source and target lengths differ, both may be 1 or max_len; vocabularies differ too.",
    hint_zh="源和目标长度不同，可以是 1 或 max_len；两个词表大小也不同。",
)
def test_model_sizes(candidate: Any, rng: np.random.Generator) -> None:
    run = model(candidate, rng)
    for B, S, T in ((1, 1, 1), (2, 7, 1), (3, 1, 5), (2, 20, 20)):
        run(B, S, T)
    model(candidate, rng, d_model=24, n_heads=3, d_ff=20)(2, 5, 4)
    model(candidate, rng, n_heads=1, n_layers=3, tgt_vocab=29, pad_id=0)(2, 5, 4)
