"""Dropout in the right mode, gradients everywhere, a state that is complete, decoding from any mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import compare, require

CLOSE = 1e-4
NOISE = 1e-4
"""Two calls under dropout 0.4 differ by more, two under dropout 0 by less."""
SAME_TOKENS = 0.97
"""Share of tokens that must agree: rounding may turn a near tie."""


@pytest.mark.check(
    "train_noise",
    criterion="evaluation",
    points=1,
    title="dropout is active in training mode, and only where it is asked for",
    title_zh="dropout 在训练模式下起作用，且仅在要求时",
    hint="Hand `dropout` on to every layer; with dropout=0 a call in training mode repeats itself.",
    hint_zh="把 `dropout` 传给每一层；dropout=0 时训练模式下的调用可以重复。",
)
def test_train_noise(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    def gap(dropout: float) -> float:
        net = tools.new_net(candidate, mode="train", dropout=dropout)
        src, tgt = net.tokens(rng, 3, 5), net.tokens(rng, 3, 4, source=False)
        return float(np.abs(net(src, tgt) - net(src, tgt)).max())

    noisy, quiet = gap(0.4), gap(0.0)
    if noisy <= 1e-6:
        line = f"two calls in training mode with dropout 0.4 differ by {noisy:.1g}"
        diagnosis.suspect("dropout_never", confidence=0.9, evidence=line)
    require(noisy > NOISE, "dropout has no effect in training mode")
    require(quiet <= CLOSE, "with dropout = 0 two calls in training mode differ")


@pytest.mark.check(
    "gradients",
    criterion="evaluation",
    points=2,
    title="gradients reach the parameters of both sides",
    title_zh="梯度能传到编码器和解码器的参数",
    hint="Nothing may cut the graph (detach, no_grad, numpy) between the loss and the source embedding.",
    hint_zh="从损失到源嵌入之间不能切断计算图（detach、no_grad、numpy）。",
)
def test_gradients(candidate: Any, rng: np.random.Generator, tools: Any, reversal_run: Any, diagnosis: Any) -> None:
    def reached(net: Any) -> Any:
        src, tgt, wanted = (net.tokens(rng, 4, 5, source=source) for source in (True, False, False))
        net.handle.train()
        return net.handle.gradient([src, tgt], loss="cross_entropy", target=wanted)

    facts = reached(tools.new_net(candidate, mode="train"))
    if 4 * (facts.missing + facts.zero) > facts.total:  # branches of a new model may lie behind a factor of zero
        facts = reached(reversal_run().scorer())
    cut = facts.missing + facts.zero
    require(facts.total > 0, "the model has no trainable parameters")
    if 4 * cut > facts.total:
        line = f"{cut} of {facts.total} parameter tensors get no gradient"
        diagnosis.suspect("graph_cut", confidence=0.7, evidence=line)
    # A quarter is allowed: an unused head is no fault of the path that counts.
    require(4 * cut <= facts.total, f"{cut} of {facts.total} parameter tensors get no gradient")


@pytest.mark.check(
    "state_round_trip",
    criterion="evaluation",
    points=2,
    title="a saved state makes a new model give the same logits",
    title_zh="载入保存的状态后，新模型给出相同的 logits",
    hint="All that forward needs is a parameter or a registered buffer, or follows from the arguments.",
    hint_zh="forward 需要的一切都应是参数或注册的 buffer，或可由构造参数得出。",
)
def test_state_round_trip(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    first, second = tools.new_net(candidate), tools.new_net(candidate)
    src, tgt = first.tokens(rng, 2, 5), first.tokens(rng, 2, 4, source=False)
    before, other = first(src, tgt), second(src, tgt)
    second.handle.load_state_of(first.handle)
    gap = float(np.abs(second(src, tgt) - before).max())
    if gap > CLOSE:
        apart = float(np.abs(other - before).max())
        line = f"after loading, log-probabilities differ by {gap:.2g} (before it by {apart:.2g})"
        diagnosis.suspect("state_incomplete", confidence=0.7, evidence=line)
    require(gap <= CLOSE, f"after loading the state the log-probabilities differ by {gap:.2g}")
    compare.close(first(src, tgt), before, atol=CLOSE, what="the model whose state was saved")


@pytest.mark.check(
    "decode_evaluates",
    criterion="evaluation",
    points=2,
    title="greedy_decode evaluates, whatever mode the model was left in",
    title_zh="无论模型处于什么模式，greedy_decode 都表现为评估行为",
    hint="greedy_decode calls model.eval() itself; torch.no_grad() does not switch dropout off.",
    hint_zh="greedy_decode 要自己调用 model.eval()；torch.no_grad() 不会关闭 dropout。",
)
def test_decode_evaluates(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    net = tools.new_net(candidate, dropout=0.4)
    src = net.tokens(rng, 24, 6)

    def decoded(*, training: bool) -> Any:
        net.handle.train() if training else net.handle.eval()
        answer = candidate.call("greedy_decode", net.handle, src, 0, 5)
        return answer.tensor(shape=(24, 5), dtype="any", what="greedy_decode").astype(np.float64)

    calm, first, second = decoded(training=False), decoded(training=True), decoded(training=True)
    agree = min(float(np.mean(first == second)), float(np.mean(first == calm)))
    if agree < SAME_TOKENS:
        line = f"decoded from training mode, {agree:.0%} of the tokens are those decoded from evaluation mode"
        diagnosis.suspect("decode_without_eval", confidence=0.85, evidence=line)
    require(agree >= SAME_TOKENS, f"from training mode only {agree:.0%} of the tokens are the same")


@pytest.mark.check(
    "decode_batch",
    criterion="evaluation",
    points=1,
    title="a sequence is decoded the same way alone and in a batch",
    title_zh="一个序列单独解码与在批量中解码结果相同",
    hint="Nothing runs over the batch; keep the batch axis of a single sequence.",
    hint_zh="任何运算都不跨批量；只有一个序列时也要保留批量轴。",
)
def test_decode_batch(reversal_run: Any) -> None:
    run = reversal_run()
    test, whole = run.lesson.test, run.tested()
    same = []
    for item in range(12):
        length = int(test.lengths[item])
        alone = run.decode(test.src[item : item + 1], length)
        same.append(alone[0] == whole[item, :length])
    agree = float(np.mean(np.concatenate(same)))
    require(agree >= 0.9, f"alone, {agree:.0%} of the tokens are the same as in a batch")
