"""Training copes with the order, the number and the quality of what it is given."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

from grader.judge import partial, require
from grader.judge.faults import CandidateFault

SORTED_LOSS = 0.05
"""Accuracy that class-sorted data may cost: 0.012 is one standard deviation of the difference of two runs."""
SORTED_WIDTH = 0.15
"""From full marks to none."""
NOISY_LINE = 0.70
"""Accuracy on clean images after a tenth of the training labels was wrong; see docs/thresholds.md."""


@pytest.mark.check(
    "sorted_classes",
    criterion="data_handling",
    points=5,
    title="training data sorted by class is learned as well as shuffled data",
    title_zh="按类别排好序的训练数据也能同样学好",
    hint="Draw a new random order of the images in every epoch.",
    hint_zh="每一轮都重新随机打乱图像顺序。",
)
def test_sorted_classes(main_run: Any, candidate: Any, material: Any, trainer: Any, diagnosis: Any) -> None:
    digits = material.digits
    order = np.argsort(digits.labels, kind="stable")
    data = type(digits)(digits.images[order], digits.labels[order], digits.test_images, digits.test_labels, 10)
    line = max(main_run().accuracy() - SORTED_LOSS, 0.5)
    scores = [trainer(candidate, data, seed=7).accuracy()]
    if scores[0] < line:
        scores += [trainer(candidate, data, seed=seed).accuracy() for seed in (17, 27)]
    score = float(np.median(scores))
    if score < line:
        if main_run().accuracy() >= 0.8:
            told = (
                f"accuracy {main_run().accuracy():.3f} on shuffled, {score:.3f} on class-sorted images, median of three"
            )
            diagnosis.suspect("not_shuffled", confidence=0.8, evidence=told)
        share = min(max(1 - (line - score) / SORTED_WIDTH, 0.0), 0.99)
        partial(share, f"accuracy {score:.3f} on sorted data, full marks from {line:.3f}")


@pytest.mark.check(
    "wrong_labels",
    criterion="data_handling",
    points=4,
    title="some wrong training labels are neither looked up nor fatal",
    title_zh="少量错误的训练标签既不会被照抄，也不会毁掉模型",
    hint="Predictions come from what was learned: keep no table of training images, and do not overfit badly.",
    hint_zh="预测应来自学到的规律：不要保存训练图像的对照表，也不要严重过拟合。",
)
def test_wrong_labels(
    main_run: Any, noisy_run: Any, material: Any, rng: np.random.Generator, diagnosis: Any
) -> None:  # fmt: skip
    line, run = main_run().learned(NOISY_LINE), noisy_run()
    score = run.accuracy()
    require(score >= line, f"accuracy {score:.3f} after training with a tenth of wrong labels")
    seen = run.data.images
    nearly = np.clip(seen + rng.uniform(-1e-4, 1e-4, seen.shape), 0, 1).astype(np.float32)
    wrong = run.data.labels != material.digits.labels[: len(seen)]
    same = float(np.mean(run.labels(seen)[wrong] == run.labels(nearly)[wrong]))
    if same < 0.5:
        told = (
            f"a change of 1e-4 in the pixels turns {1 - same:.0%} of the answers for wrongly labelled training images"
        )
        diagnosis.suspect("table_of_training_images", confidence=0.9, evidence=told)
    # A network is continuous: 1e-4 on each pixel turns only a label that was undecided, a table turns them all.
    require(same >= 0.5, f"only {same:.0%} of these labels survive a change of 1e-4 in the pixels")


@pytest.mark.check(
    "odd_sizes",
    criterion="data_handling",
    points=3,
    title="any number of images can be trained on and predicted",
    title_zh="任意数量的图像都能用来训练和预测",
    hint="The last batch may be smaller, and the whole set may be smaller than one batch.",
    hint_zh="最后一批可以更小，整个数据集也可能小于一个批量。",
)
def test_odd_sizes(candidate: Any, material: Any, trainer: Any) -> None:
    digits = material.digits
    for count in (133, 37):
        few = type(digits)(digits.images[:count], digits.labels[:count], digits.test_images, digits.test_labels, 10)
        run = trainer(candidate, few, seed=5, epochs=2)
        losses = run.answer.floats("loss", what="the loss list")
        require(len(losses) > 0 and bool(np.isfinite(losses).all()), f"losses {losses[:5]} for {count} images")
        for odd in (1, 65, 257):
            run.labels(digits.test_images[:odd])


@pytest.mark.check(
    "missing_class",
    criterion="data_handling",
    points=2,
    title="a class without training images is no problem",
    title_zh="某些类别没有训练图像也不出问题",
    hint="The number of classes is what build_model was told, not what the labels show.",
    hint_zh="类别数以 build_model 的参数为准，而不是由标签推断。",
)
def test_missing_class(candidate: Any, material: Any, trainer: Any, diagnosis: Any) -> None:
    digits = material.digits

    def train_on(classes: tuple[int, ...]) -> Any:
        rows = np.flatnonzero(np.isin(digits.labels, classes))[: 40 * len(classes)]
        data = type(digits)(digits.images[rows], digits.labels[rows], digits.test_images, digits.test_labels, 6)
        run = trainer(candidate, data, seed=6, epochs=2)
        run.probabilities(digits.test_images[:9])
        return run

    try:
        run = train_on((0, 2, 3))
    except CandidateFault:
        with contextlib.suppress(CandidateFault):  # what fails with all six classes as well has another cause
            train_on((0, 1, 2, 3, 4, 5))
            told = "training with labels 0, 2 and 3 of six classes fails, with all six it does not"
            diagnosis.suspect("classes_from_labels", confidence=0.6, evidence=told)
        raise
    labels = run.labels(digits.test_images[:9])
    require(bool(((labels >= 0) & (labels < 6)).all()), "a label outside the classes")
