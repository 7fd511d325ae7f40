"""Greedy decoding after training, never teacher forcing: a model without a causal mask is perfect at that.

Where the lines lie is explained in docs/validity-transformer.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import partial, require

FULL, ZERO = 0.85, 0.35
"""Share of tokens right; chance is 0.125. What correct solutions reach: docs/validity-transformer.md."""
FOLLOWS = 0.5
"""Least agreement of what is decoded with the trained module, for what it knows to count."""
PADDED = 0.5
"""Share of padded positions at which padding is predicted: 0 where it was never a target, 1 where it counted."""
COPIES = 0.9
"""Share of positions at which the model repeats its input: 1 where it was trained on unshifted targets."""


def settle(score: float, what: str) -> None:
    """Full marks at `FULL`, none at `ZERO`, linear between."""
    if score < FULL:
        share = min(max((score - ZERO) / (FULL - ZERO), 0.0), 0.99)
        partial(share, f"{what}: {score:.3f} of the tokens right, full marks from {FULL:.2f}")


def agreement(run: Any, tools: Any) -> float:
    """Share of decoded test tokens that the trained module finds most probable."""
    test = run.lesson.test
    return tools.follows(run.scorer(), test.src, run.tested(), run.lesson.bos_id, test.real)


def show(run: Any, evidence: Any, name: str, title: str) -> None:
    """The loss curve and some decoded sequences, for a person."""
    test, decoded = run.lesson.test, run.tested()
    evidence.curves(
        f"{name}_loss",
        {"loss": run.log.floats("loss", what="the loss list")},
        title=f"{title}: training loss",
        x="step",
        y="cross-entropy (nats)",
    )
    rows = [
        [" ".join(map(str, tokens[i, : test.lengths[i]])) for tokens in (test.src, test.tgt_out, decoded)]
        for i in range(12)
    ]
    evidence.table(f"{name}_decoded", ["source", "expected", "decoded"], rows, title=f"{title}: greedy decoding")


def show_source(run: Any, evidence: Any) -> None:
    """How far each row of logits moves with each source token, averaged over test sequences of the full length."""
    test, net = run.lesson.test, run.scorer()
    T = test.tgt_out.shape[1]
    whole = np.flatnonzero(test.lengths == T)[:20]
    src, tgt = test.src[whole], test.tgt_in[whole]
    base, moved = net(src, tgt), np.zeros((T, T))
    for j in range(T):
        other = src.copy()
        other[:, j] = (src[:, j] - 2 + 1) % 8 + 2
        moved[:, j] = np.abs(net(other, tgt) - base).mean(axis=(0, 2))
    evidence.matrix(
        "source_influence",
        moved,
        title="Reversing: how far a row of logits moves with a source token",
        x="changed source token",
        y="row of logits",
    )


def name_the_slip(run: Any, diagnosis: Any) -> None:
    """What a training that missed its line did instead."""
    test, decoded = run.lesson.test, run.tested()
    after = run.net.handle.state()
    if all(np.array_equal(after.get(name), value) for name, value in run.before.items()):
        diagnosis.suspect(
            "nothing_trained", confidence=0.9, evidence=f"none of {len(after)} tensors changed in training"
        )
    losses = np.asarray(run.log.floats("loss", what="the loss list"))
    if not np.isfinite(losses).all():
        line = f"{int((~np.isfinite(losses)).sum())} of {len(losses)} losses are not finite"
        diagnosis.suspect("training_diverged", confidence=0.8, evidence=line)
        return
    shifted = (decoded[:, 1:] == test.tgt_out[:, :-1])[test.real[:, 1:]]
    if float(np.mean(shifted)) > FULL and float(np.mean(decoded[:, 0] == run.lesson.bos_id)) > FULL:
        line = f"decoding starts with BOS, and {float(np.mean(shifted)):.0%} of the tokens are right one place later"
        diagnosis.suspect("bos_in_output", confidence=0.9, evidence=line)
    told = run.scorer()(test.src, test.tgt_in).argmax(axis=-1)
    right = float(np.mean((told == test.tgt_out)[test.real]))
    copies = float(np.mean((told == test.tgt_in)[:, 1:][test.real[:, 1:]]))
    if copies >= COPIES:
        line = f"at {copies:.0%} of the positions the model predicts the token that it was just given"
        diagnosis.suspect("target_not_shifted", confidence=0.9, evidence=line)
    elif right > 0.95:
        line = f"given the right tokens, {right:.0%} of the next ones are found; decoding finds {run.score():.0%}"
        diagnosis.suspect("sees_its_answer", confidence=0.7, evidence=line)


def median_score(run: Any, lesson: Any, candidate: Any, learner: Any, tools: Any) -> float:
    """The share of right tokens; of three trainings the median where the first one misses its line."""
    scores = [run.score()]
    if scores[0] < FULL:
        scores += [learner(candidate, lesson, seed=seed).score() for seed in (17, 27)]
    require(agreement(run, tools) >= FOLLOWS, "greedy_decode does not answer with the trained model")
    return float(np.median(scores))


@pytest.mark.check(
    "reversal",
    criterion="learning",
    points=5,
    title="a model trained to reverse sequences decodes unseen ones",
    title_zh="训练后能反转未见过的序列",
    hint="Full marks from 0.85 of the tokens. A low loss with bad decoding: the decoder sees its answer (mask).",
    hint_zh="词元正确率 0.85 起满分。损失低而解码差：解码器看到了答案（检查掩码）。",
)
def test_reversal(
    reversal_run: Any, lessons: Any, candidate: Any, learner: Any, tools: Any, diagnosis: Any, evidence: Any
) -> None:
    run = reversal_run()
    show(run, evidence, "reversal", "Reversing")
    show_source(run, evidence)
    if run.score() < FULL:
        name_the_slip(run, diagnosis)
    settle(median_score(run, lessons.reversal, candidate, learner, tools), "reversing")


@pytest.mark.check(
    "drawn_order",
    criterion="learning",
    points=3,
    title="a task that is drawn for each run is learned too",
    title_zh="也能学会每次评分时随机抽取的任务",
    hint="Vocabularies, pad_id and bos_id differ from model to model: nothing may be hard-wired.",
    hint_zh="不同模型的词表、pad_id 和 bos_id 各不相同：不能写死任何一个。",
)
def test_drawn_order(drawn_run: Any, lessons: Any, candidate: Any, learner: Any, tools: Any, evidence: Any) -> None:
    run = drawn_run()
    show(run, evidence, "drawn", "Drawn order")
    settle(median_score(run, lessons.drawn, candidate, learner, tools), "the drawn task")


@pytest.mark.check(
    "padding_in_loss",
    criterion="learning",
    points=1,
    title="padded target positions do not count in the loss",
    title_zh="目标序列的填充位置不计入损失",
    hint="cross_entropy(..., ignore_index=pad_id), or multiply the losses by (tgt_out != pad_id).",
    hint_zh="cross_entropy(..., ignore_index=pad_id)，或把损失乘以 (tgt_out != pad_id)。",
)
def test_padding_in_loss(drawn_run: Any, diagnosis: Any) -> None:
    run = drawn_run()
    test, pad = run.lesson.test, run.lesson.sizes["pad_id"]
    rows = run.scorer()(test.src, test.tgt_in)
    share = float(np.mean(rows.argmax(axis=-1)[~test.real] == pad))
    if share > PADDED:
        line = f"after the end of a sequence, padding is the most probable token at {share:.0%} of the positions"
        diagnosis.suspect("loss_counts_padding", confidence=0.85, evidence=line)
    require(share <= PADDED, f"padding is predicted at {share:.0%} of the padded positions: it was a target")
