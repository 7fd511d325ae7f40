"""Samples look like the training images. Lines and what stands behind them: docs/validity-gan.md."""

from __future__ import annotations

from typing import Any

import pytest

FD_LINE, FD_ZERO = 0.35, 0.90
DENSITY_LINE, DENSITY_ZERO = 0.12, 0.02
STD_LINE, STD_ZERO = 0.20, 0.45
SHIFT_LINE, SHIFT_ZERO = 0.20, 0.45


@pytest.mark.check(
    "frechet_distance",
    criterion="fidelity",
    points=12,
    title="relative Frechet distance to unseen real images",
    title_zh="与未见过的真实图像的相对 Fréchet 距离",
    hint="Look at your samples: noise means too few steps or a discriminator that wins; check labels, zero_grad, the "
    "range of the real images, both learning rates.",
    hint_zh="看看你的样本：像噪声说明步数太少或判别器太强；检查标签、zero_grad、真实图像的取值范围和两个学习率。",
)
def test_frechet_distance(trainings: Any) -> None:
    trainings.settle(lambda quality: quality.fd, FD_LINE, FD_ZERO, "FD")


@pytest.mark.check(
    "density",
    criterion="fidelity",
    points=4,
    title="samples lie where real images are dense",
    title_zh="样本落在真实图像密集的地方",
    hint="Too many samples look like no digit at all: train longer, or weaken the discriminator a little.",
    hint_zh="太多样本不像任何数字：多训练一些，或者稍微削弱判别器。",
)
def test_density(trainings: Any) -> None:
    trainings.settle(lambda quality: quality.density, DENSITY_LINE, DENSITY_ZERO, "density")


@pytest.mark.check(
    "contrast",
    criterion="fidelity",
    points=4,
    title="contrast and brightness of the samples",
    title_zh="样本的对比度和亮度",
    hint="A wrong range (tanh against images in [0, 1], rescaling twice) or averaged images show here.",
    hint_zh="取值范围错误（tanh 对应 [0, 1] 的图像、换算两次）或图像被平均，都会在这里显现。",
)
def test_contrast(trainings: Any) -> None:
    def worst(quality: Any) -> float:
        """How far the worse of the two is beyond its line, as a share of the way to its zero."""
        spread = max(1 - quality.std, quality.std - 1.05)  # lines at 0.80 and 1.25, zeros at 0.55 and 1.50
        bright = (abs(quality.shift) - SHIFT_LINE) / (SHIFT_ZERO - SHIFT_LINE)
        return max((spread - STD_LINE) / (STD_ZERO - STD_LINE), bright)

    trainings.settle(worst, 0.0, 1.0, "contrast or brightness beyond its line by")
