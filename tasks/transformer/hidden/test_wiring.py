"""The encoder and the decoder are connected, know the order, and have as many layers as were asked for.

"Must move" probes look at a new model first and at the trained one where the new one stands still: initialising a
branch with zeros is a choice, and training ends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from grader.judge import compare, require

CLOSE = 1e-4
"""Log-probabilities in float32; seven public Transformers stay below 1.4e-6."""
MOVES = 1e-4
"""What depends on something moves by more than rounding may."""


def moved_by(net: Any, rng: np.random.Generator, change: Callable[[Any], Any]) -> float:
    """How far log-probabilities move when `change` is applied to a source of six different tokens."""
    source = rng.permutation(np.delete(np.arange(net.sizes.src_vocab), net.sizes.pad_id))[None, :6]
    tgt = net.tokens(rng, 1, 4, source=False)
    return float(np.abs(net(source, tgt) - net(change(source), tgt)).max())


@pytest.mark.check(
    "source_matters",
    criterion="wiring",
    points=2,
    title="the logits depend on every source token",
    title_zh="logits 依赖每一个源词元",
    hint="Cross-attention: queries from the decoder, keys and values from the encoder's output.",
    hint_zh="交叉注意力：查询来自解码器，键和值来自编码器的输出。",
)
def test_source_matters(
    candidate: Any, rng: np.random.Generator, tools: Any, reversal_run: Any, diagnosis: Any
) -> None:
    def least(net: Any) -> float:
        return min(moved_by(net, rng, lambda source, place=place: changed(net, source, place)) for place in range(6))

    def changed(net: Any, source: Any, place: int) -> Any:
        other = source.copy()
        unused = np.setdiff1d(np.arange(net.sizes.src_vocab), [*source[0], net.sizes.pad_id])
        other[0, place] = rng.choice(unused)
        return other

    moved = least(tools.new_net(candidate))
    if moved <= MOVES:
        if moved <= 1e-7:
            line = f"changing source tokens moves the log-probabilities by {moved:.1g} only"
            diagnosis.suspect("source_ignored", confidence=0.9, evidence=line)
        moved = least(reversal_run().scorer())
    require(moved > MOVES, f"a source token moves the log-probabilities by {moved:.1g} only")


@pytest.mark.check(
    "positions",
    criterion="wiring",
    points=3,
    title="the order of the source matters",
    title_zh="源序列的顺序起作用",
    hint="Without positions the encoder sees a set: add positional encodings to the embeddings.",
    hint_zh="没有位置信息时编码器看到的只是集合：给嵌入加上位置编码。",
)
def test_positions(candidate: Any, rng: np.random.Generator, tools: Any, reversal_run: Any, diagnosis: Any) -> None:
    def least(net: Any) -> float:
        def swapped(source: Any) -> Any:
            return source[:, [1, 0, 2, 3, 4, 5]]

        return min(moved_by(net, rng, lambda source: source[:, ::-1].copy()), moved_by(net, rng, swapped))

    net = tools.new_net(candidate)
    moved = least(net)
    if moved <= MOVES:
        if moved_by(net, rng, lambda source: source[:, [0] * 6]) > MOVES:
            line = f"reordering the source moves the log-probabilities by {moved:.1g}, other tokens move them"
            diagnosis.suspect("no_positions", confidence=0.9, evidence=line)
        moved = least(reversal_run().scorer())
    require(moved > MOVES, f"another order of the source moves the log-probabilities by {moved:.1g} only")


@pytest.mark.check(
    "own_layers",
    criterion="wiring",
    points=2,
    title="every layer has weights of its own",
    title_zh="每一层都有自己的权重",
    hint="[Layer()] * n repeats one layer; a plain Python list hides layers from parameters(): nn.ModuleList.",
    hint_zh="[Layer()] * n 是同一层重复 n 次；普通 Python 列表中的层不会出现在 parameters() 里：用 nn.ModuleList。",
)
def test_own_layers(candidate: Any, tools: Any, diagnosis: Any) -> None:
    counts = [tools.new_net(candidate, n_layers=n).handle.parameters().count for n in (1, 2, 3)]
    growth = [counts[1] - counts[0], counts[2] - counts[1]]
    d, outside = 32, (13 + 11) * 32 + 11 * 33  # embeddings and the output layer
    if growth == [0, 0]:
        line = f"{counts[0]} parameters with one, two and three layers"
        inside = counts[0] - outside - 2 * 24 * 32 > 8 * d * d
        diagnosis.suspect("shared_layers" if inside else "layers_in_a_list", confidence=0.95, evidence=line)
    require(growth[0] == growth[1], f"the number of parameters grows by {growth[0]}, then by {growth[1]} per layer")
    require(growth[0] >= 4 * d * d, f"a further layer brings {growth[0]} parameters")


@pytest.mark.check(
    "model_batch",
    criterion="wiring",
    points=2,
    title="sequences of a batch do not influence each other",
    title_zh="同批的序列互不影响",
    hint="Batch first everywhere (nn.Transformer: batch_first=True); masks keep their batch axis.",
    hint_zh="始终批量在前（nn.Transformer 用 batch_first=True）；掩码保留批量轴。",
)
def test_model_batch(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    net = tools.new_net(candidate)
    src, tgt = net.tokens(rng, 4, 5), net.tokens(rng, 4, 4, source=False)
    whole = net(src, tgt)
    for item in range(4):
        alone = net(src[item : item + 1], tgt[item : item + 1])
        gap = float(np.abs(alone - whole[item : item + 1]).max())
        if gap > CLOSE:
            line = f"a sequence in a batch of four differs by {gap:.2g} from the same sequence alone"
            diagnosis.suspect("batch_mixed", confidence=0.8, evidence=line)
        compare.close(alone, whole[item : item + 1], atol=CLOSE, what="a sequence alone")
