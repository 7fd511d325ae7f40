"""The model learns, all of it learns, and it learns from what it is given.

Thresholds come from docs/thresholds.md: each line lies several standard deviations below the worst of the
correct solutions measured there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import partial, require
from grader.judge.maths import log_softmax

ACCURACY_LINE = 0.90
"""Full marks. The weakest training seen of a correct solution had 0.928 (LeNet with tanh, 15 epochs; sd 0.0085)."""
ACCURACY_ZERO = 0.50
AGREEMENT = 0.5
"""Far below what any way of normalising gives; a table of training images beside an idle network stays at 0.1."""
PATTERN_LINE = 0.80
PATTERN_ZERO = 0.30
"""Just above chance for four classes."""
AFFINE = 2e-3
"""Relative departure from affinity; linear networks stay below 1e-5, correct ones were never below 0.05."""
OWN_LOSS_BELOW = 0.3
"""How far below the floor the scores' own cross-entropy lies at least where they were learned through a squashing."""
FLOOR_SLACK = 0.35
"""How far above its floor a converged loss under a double softmax lies at most."""


def settle(score: float, line: float, zero: float, what: str) -> None:
    """Full marks at `line`, none at `zero`, linear between."""
    if score < line:
        share = min(max((score - zero) / (line - zero), 0.0), 0.99)
        partial(share, f"{what} {score:.3f}, full marks from {line:.2f}")


@pytest.mark.check(
    "accuracy",
    criterion="learning",
    points=14,
    title="accuracy on unseen digits after training",
    title_zh="训练后在未见过的数字上的准确率",
    hint="Full marks from 0.90, none below 0.50. Check zero_grad, step, the learning rate, the number of epochs, "
    "and that predict treats images as training did.",
    hint_zh="0.90 起得满分，低于 0.50 不得分。检查 zero_grad、step、学习率、轮数，predict 与训练图像处理要一致。",
)
def test_accuracy(
    main_run: Any, candidate: Any, material: Any, trainer: Any, diagnosis: Any, shower: Any
) -> None:  # fmt: skip
    run = main_run()
    shower(run)
    require(run.agreement() >= AGREEMENT, "predict does not answer with the trained module")
    scores = [run.accuracy()]
    if scores[0] < ACCURACY_LINE and max(run.views()) >= max(ACCURACY_LINE, scores[0] + 0.05):
        line = (
            f"the module finds {max(run.views()):.0%} where images are scaled as in training, predict {scores[0]:.0%}"
        )
        diagnosis.suspect("training_input_differs", confidence=0.9, evidence=line)
    if scores[0] < ACCURACY_LINE:  # an unlucky run must not cost marks: two more, and the median counts
        scores += [trainer(candidate, material.digits, seed=seed).accuracy() for seed in (17, 27)]
    settle(float(np.median(scores)), ACCURACY_LINE, ACCURACY_ZERO, "accuracy")


@pytest.mark.check(
    "colour_patterns",
    criterion="learning",
    points=4,
    title="a colour data set with another number of classes is learned too",
    title_zh="也能学会类别数不同的彩色数据集",
    hint="Nothing in training may assume one channel, ten classes or the statistics of the digits.",
    hint_zh="训练代码不能假定单通道、十个类别或手写数字的统计量。",
)
def test_colour_patterns(pattern_run: Any, candidate: Any, material: Any, trainer: Any) -> None:
    scores = [pattern_run().accuracy()]
    if scores[0] < PATTERN_LINE:
        scores += [trainer(candidate, material.patterns, seed=seed).accuracy() for seed in (18, 28)]
    settle(float(np.median(scores)), PATTERN_LINE, PATTERN_ZERO, "accuracy")


@pytest.mark.check(
    "gradient_flow",
    criterion="learning",
    points=2,
    title="gradients reach the parameters",
    title_zh="梯度能传到各个参数",
    hint="Nothing may cut the graph (detach, no_grad, numpy) between the loss and the first layer.",
    hint_zh="从损失到第一层之间不能切断计算图（detach、no_grad、numpy）。",
)
def test_gradient_flow(candidate: Any, material: Any, builder: Any, diagnosis: Any) -> None:
    digits = material.digits
    model = builder(candidate, digits)
    model.train()
    facts = model.gradient([digits.images[:32]], loss="cross_entropy", target=digits.labels[:32])
    cut = facts.missing + facts.zero
    # A quarter is allowed: an unused auxiliary head is no fault of the path that counts.
    require(facts.total > 0, "the model has no trainable parameters")
    if 4 * cut > facts.total:
        line = f"{cut} of {facts.total} parameter tensors get no gradient from a loss on the scores"
        diagnosis.suspect("graph_cut", confidence=0.9, evidence=line)
    require(4 * cut <= facts.total, f"{cut} of {facts.total} parameter tensors get no gradient")


def large_tensors(state: dict[str, Any]) -> dict[str, NDArray[np.float64]]:
    """The weights among a state's tensors: two or more dimensions, at least 16 numbers, floating."""
    arrays = {name: np.asarray(value) for name, value in state.items()}
    return {
        name: np.nan_to_num(array.astype(np.float64))
        for name, array in arrays.items()
        if array.ndim >= 2 and array.size >= 16 and array.dtype.kind == "f"
    }


@pytest.mark.check(
    "all_layers_train",
    criterion="learning",
    points=3,
    title="training changes the early layers as well as the last one",
    title_zh="训练改变的不只是最后一层，前面的层也要改变",
    hint="Give the optimiser all of model.parameters() and freeze nothing.",
    hint_zh="把 model.parameters() 全部交给优化器，不要冻结任何层。",
)
def test_all_layers_train(candidate: Any, material: Any, builder: Any, device: str, diagnosis: Any) -> None:
    digits = material.digits
    model = builder(candidate, digits)
    before = large_tensors(model.state())
    candidate.within(cpu_s=20).call(
        "train_model", model, digits.images[:300], digits.labels[:300], epochs=1, seed=4, device=device
    )
    after = large_tensors(model.state())
    same = [name for name in before if name in after and np.array_equal(before[name], after[name])]
    require(len(before) > 0, "the model's state holds no weights")
    if before and len(same) > 0.4 * len(before):
        line = f"{len(same)} of {len(before)} weight tensors are bit for bit the same after an epoch"
        slip = "never_steps" if len(same) == len(before) else "only_last_layer_trains"
        diagnosis.suspect(slip, confidence=0.9 if slip == "never_steps" else 0.7, evidence=line)
    # A fixed filter or two beside the trained layers is a choice, most of the network standing still is not.
    require(len(same) <= 0.4 * len(before), f"{len(same)} of {len(before)} weight tensors did not change")


@pytest.mark.check(
    "non_affine",
    criterion="learning",
    points=6,
    title="the network is more than a linear map",
    title_zh="网络不只是线性映射",
    hint="Put a non-linearity between the layers: without one, any number of convolutions is one linear map.",
    hint_zh="层与层之间要有非线性激活：没有激活，再多卷积也只是一个线性映射。",
)
def test_non_affine(main_run: Any, material: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    scores = main_run().scorer()
    whole = material.digits.test_images[:40]
    left = np.arange(8) < 4  # (W,)
    other = rng.random(whole.shape, dtype=np.float32)  # not a blank: a model may stumble over it, elsewhere

    def centred(images: NDArray[np.float32]) -> NDArray[np.float64]:
        found = scores(images)  # differences between classes: log_softmax of a linear map must not hide it
        return found - found.mean(axis=1, keepdims=True)

    base, together = centred(other), centred(whole)
    apart = centred(np.where(left, whole, other)) + centred(np.where(left, other, whole))
    scale = np.linalg.norm(together - base)
    require(scale > 1e-6, "the scores do not depend on the image")
    bend = np.linalg.norm(apart - together - base) / scale
    if bend <= AFFINE:
        line = f"f(a) + f(b) - f(a + b - c) - f(c) is {bend:.1e} of f; networks with activations were never below 0.05"
        diagnosis.suspect("no_nonlinearity", confidence=0.95, evidence=line)
    require(bend > AFFINE, f"f(a) + f(b) - f(a + b - c) - f(c) is {bend:.1e} of f: an affine map")


def floor(classes: int) -> float:
    """The least cross-entropy of scores that are confined to [0, 1]: ln(1 + (K - 1) / e)."""
    return float(np.log1p((classes - 1) / np.e))


def sits_on_floor(run: Any) -> bool:
    """True where the best reported loss lies just above the floor although the module's own scores are far below it.

    Squared error on one-hot targets ends near the floor too, but there the scores do as well.
    """
    losses = [loss for loss in run.answer.floats("loss", what="the loss list") if np.isfinite(loss)]
    if not losses or run.accuracy() < 0.90:
        return False
    least = floor(run.data.classes)
    chosen = log_softmax(run.scorer()(run.data.images))[np.arange(len(run.data.labels)), run.data.labels]
    return bool(-0.002 <= min(losses) - least <= FLOOR_SLACK and -chosen.mean() < least - OWN_LOSS_BELOW)


def name_squashing(scores: NDArray[np.float64], diagnosis: Any) -> None:
    """Suspects what makes scores like these: softmax, sigmoid or ReLU at the end of forward."""
    zeros = float(np.mean(scores == 0))
    if scores.min() >= 0 and zeros >= 0.2:
        diagnosis.suspect("relu_on_logits", confidence=0.95, evidence=f"no score below 0, {zeros:.0%} exactly 0")
    elif scores.min() >= 0 and scores.max() <= 1:
        off = float(np.abs(scores.sum(axis=1) - 1).max())
        slip = "softmax_in_forward" if off < 1e-3 else "sigmoid_in_forward"
        line = f"all scores of forward lie in [0, 1]; their rows miss a sum of one by up to {off:.1e}"
        diagnosis.suspect(slip, confidence=0.95 if off < 1e-3 else 0.8, evidence=line)


@pytest.mark.check(
    "loss_floor",
    criterion="learning",
    points=4,
    title="the loss sees raw scores",
    title_zh="损失函数看到的是原始分数",
    hint="cross_entropy applies log-softmax itself: forward returns logits (or log-probabilities), neither "
    "probabilities nor activations.",
    hint_zh="cross_entropy 自带 log-softmax：forward 应返回 logits（或对数概率），而不是概率或激活后的值。",
)
def test_loss_floor(main_run: Any, pattern_run: Any, material: Any, diagnosis: Any) -> None:
    require(main_run().accuracy() >= 0.3, "nothing was learned, so the loss cannot be judged")
    scores = main_run().scorer()(material.digits.test_images)
    name_squashing(scores, diagnosis)
    require(not (scores.min() >= 0 and scores.max() <= 1), "forward returns scores squashed into [0, 1]")
    require(float(np.mean(scores == 0)) < 0.2, "forward returns scores that are cut off at zero")
    # A smoothed or augmented loss may lie anywhere; right above the floor for both numbers of classes, with
    # the labels found, lies only a loss that was computed from squashed scores.
    if sits_on_floor(main_run()) and sits_on_floor(pattern_run()):
        line = (
            f"losses end just above {floor(10):.3f} for ten classes and {floor(4):.3f} for four, with the labels found"
        )
        diagnosis.suspect("softmax_before_loss", confidence=0.9, evidence=line)
    require(not (sits_on_floor(main_run()) and sits_on_floor(pattern_run())), "the loss saw squashed scores")
