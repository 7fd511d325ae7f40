"""Samples come from the images of the call: six digits and a view that were drawn for this run."""

from __future__ import annotations

from typing import Any

import pytest

from grader.judge import partial, require

ABSENT_LINE, ABSENT_ZERO = 0.28, 0.34
"""Stored digits of all classes have 0.36 to 0.41 of their samples in the four digits that were not shown."""


@pytest.mark.check(
    "only_shown_digits",
    criterion="learns_from_call",
    points=5,
    title="samples show what the training images show",
    title_zh="样本展示的是训练图像中的内容",
    hint="The generator has to be trained in train_gan, on the images it is given, from scratch.",
    hint_zh="生成器必须在 train_gan 中用传入的图像从头训练。",
)
def test_only_shown_digits(trainings: Any) -> None:
    trainings.first().require_something("where they come from")
    share, values = trainings.share(lambda quality: quality.absent, ABSENT_LINE, ABSENT_ZERO)
    shown = ", ".join(f"{number:.2f}" for number in values)
    if share < 1:
        partial(min(share, 0.99), f"share of digits that were not in the training images: {shown}")


@pytest.mark.check(
    "same_view",
    criterion="learns_from_call",
    points=5,
    title="samples are turned and coloured as the training images are",
    title_zh="样本的方向和明暗与训练图像一致",
    hint="The generator has to be trained in train_gan, on the images it is given, from scratch.",
    hint_zh="生成器必须在 train_gan 中用传入的图像从头训练。",
)
def test_same_view(trainings: Any, data: Any) -> None:
    trainings.first().require_something("where they come from")
    share, values = trainings.share(lambda quality: float(quality.best_view == data.view), 1.0, 0.0)
    require(
        share >= 1, f"the samples look like digits in another view than the training images ({len(values)} trainings)"
    )
