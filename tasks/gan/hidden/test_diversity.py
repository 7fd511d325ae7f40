"""Samples are as varied as the training images, and are not the training images. Lines: docs/validity-gan.md."""

from __future__ import annotations

from typing import Any

import pytest

from grader.judge import require

COVERAGE_LINE, COVERAGE_ZERO = 0.15, 0.03
MODES_LINE, MODES_ZERO = 5, 2
PAIR_LINE, PAIR_ZERO = 0.22, 0.32


@pytest.mark.check(
    "coverage",
    criterion="coverage",
    points=10,
    title="share of the real images that have a sample nearby",
    title_zh="附近有样本的真实图像所占的比例",
    hint="A generator that repeats a few good images covers little: lower the learning rates, check both losses.",
    hint_zh="只会重复少数几张好图的生成器覆盖率很低：降低学习率，检查两个损失。",
)
def test_coverage(trainings: Any) -> None:
    trainings.settle(lambda quality: quality.coverage, COVERAGE_LINE, COVERAGE_ZERO, "coverage")


@pytest.mark.check(
    "modes",
    criterion="coverage",
    points=6,
    title="digits that occur among the samples",
    title_zh="样本中出现的数字种类",
    hint="Missing digits are mode collapse: lower the learning rates, train longer, weaken the discriminator.",
    hint_zh="缺少某些数字就是模式坍缩：降低学习率、多训练一些、削弱判别器。",
)
def test_modes(trainings: Any) -> None:
    trainings.settle(lambda quality: float(quality.modes), MODES_LINE, MODES_ZERO, "digits")


@pytest.mark.check(
    "pair_distance",
    criterion="coverage",
    points=4,
    title="samples are as far apart as real images",
    title_zh="样本之间的距离与真实图像之间的距离相当",
    hint="Collapsed or averaged samples are too close to each other, noise is too far apart.",
    hint_zh="坍缩或被平均的样本彼此太近，噪声则彼此太远。",
)
def test_pair_distance(trainings: Any) -> None:
    trainings.settle(lambda quality: abs(quality.pair - 1), PAIR_LINE, PAIR_ZERO, "pair distance off by")


@pytest.mark.check(
    "no_copies",
    criterion="not_memorised",
    points=5,
    title="samples are not training images",
    title_zh="样本不是训练图像的拷贝",
    hint="sample must run the generator on noise: the generator never sees a real image.",
    hint_zh="sample 必须让生成器从噪声生成图像：生成器从不接触真实图像。",
)
def test_no_copies(main_run: Any) -> None:
    run = main_run()
    run.require_something("them from copies")
    require(not run.quality.has_copies, f"{run.quality.copies:.0%} of the samples are training images, or nearly")


@pytest.mark.check(
    "no_near_copies",
    criterion="not_memorised",
    points=3,
    title="samples are not training images with a little noise",
    title_zh="样本不是加了少量噪声的训练图像",
    hint="sample must run the generator on noise: noise on a stored image is not a new image.",
    hint_zh="sample 必须让生成器从噪声生成图像：在存下来的图像上加噪声并不是新图像。",
)
def test_no_near_copies(main_run: Any) -> None:
    run = main_run()
    run.require_something("them from copies")
    line = f"nearest over second nearest training image is {run.quality.ratio:.2f} times that of unseen ones"
    require(not run.quality.has_near_copies, line)
