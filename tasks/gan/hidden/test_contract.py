"""The contract on the main model: range, numbers of images, and which way scores point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import require

MARGIN = 1e-3
ABOVE = 0.45
"""Chance that a training image scores above a sample. Real code was never below 0.5; its mirror never above it."""
GAIN, CLEAR = -0.05, 0.10
"""Ten d_steps on one batch widen the gap between its real and its generated images; see docs/validity-gan.md."""
ALIVE = 1e-5


@pytest.mark.check(
    "range_after_training",
    criterion="contract",
    points=2,
    title="many samples: n images, all values in [0, 1]",
    title_zh="大量样本：n 张图像，取值都在 [0, 1] 内",
    hint="Return (n, 1, 8, 8) float values in [0, 1]; (x + 1) / 2 turns tanh's range into it.",
    hint_zh="返回 (n, 1, 8, 8) 的浮点值，取值在 [0, 1]；tanh 的范围用 (x + 1) / 2 换算。",
)
def test_range_after_training(main_run: Any) -> None:
    raw = main_run().raw
    require(raw.shape == (420, 1, 8, 8), f"{raw.shape} for 420 images")
    require(raw.dtype.kind == "f", f"samples of type {raw.dtype}")
    low, high = float(raw.min()), float(raw.max())
    require(low >= -MARGIN and high <= 1 + MARGIN, f"the samples lie in [{low:.3g}, {high:.3g}]")


@pytest.mark.check(
    "any_number",
    criterion="contract",
    points=1,
    title="any number of images can be sampled and scored",
    title_zh="任意数量的图像都能采样和打分",
    hint="n is not your batch size, and need not be a multiple of it.",
    hint_zh="n 不是你的批量大小，也不必是它的整数倍。",
)
def test_any_number(main_run: Any) -> None:
    run = main_run()
    for count in (1, 3, 257):
        found = run.candidate.call("sample", run.model, count, 9).tensor(what="sample")
        require(found.size == 64 * count, f"sample: {found.shape} for n = {count}")
        run.scores(run.data.held_out[:count].astype(np.float64))


@pytest.mark.check(
    "higher_is_more_real",
    criterion="contract",
    points=3,
    title="discriminate: a higher score means more real",
    title_zh="discriminate：分数越高表示越真实",
    hint="If the network's output means 'fake', return its negative (or one minus the probability).",
    hint_zh="如果网络输出表示“假”，请返回它的相反数（或一减概率）。",
)
def test_higher_is_more_real(main_run: Any, stepping: Any, diagnosis: Any, evidence: Any) -> None:
    run = main_run()
    run.show_scores(evidence)
    real, fake = run.scores(run.data.train[:420].astype(np.float64)), run.scores(run.samples)
    above = float(np.mean(real[:, None] > fake) + 0.5 * np.mean(real[:, None] == fake))
    require(float(np.ptp(np.concatenate([real, fake]))) > 0, "the score is the same for every image")
    moves = stepping().d() if run.candidate.has("d_step") else None
    gain = moves.gain if moves else 0.0
    line = f"real above generated: {above:.2f}; ten d_steps on one batch move their gap by {gain:+.2f} sd"
    if moves and moves.scores > ALIVE and gain < GAIN and run.quality.fd <= 0.9:
        diagnosis.suspect("discriminate_inverted", confidence=0.9, evidence=f"{line}; FD {run.quality.fd:.2f}")
    elif moves and moves.scores > ALIVE and above < 0.1 and gain < CLEAR:
        diagnosis.suspect("labels_flipped", confidence=0.8, evidence=f"{line}; FD {run.quality.fd:.2f}")
    # Early in training a correct discriminator may prefer samples; what its own steps do to it still shows the sign.
    require(gain > CLEAR or (above >= ABOVE and gain > GAIN), line)
