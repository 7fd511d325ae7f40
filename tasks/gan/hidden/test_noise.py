"""Noise in, image out: the same noise gives the same image, other noise another one, whatever else is in the batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import partial, require

CLOSE = 1e-3
DRIVEN, DRIVEN_ZERO = 0.50, 0.05
"""Distance of two generated images over that of two training images."""


@pytest.mark.check(
    "same_seed",
    criterion="noise_use",
    points=1,
    title="the same seed gives the same samples",
    title_zh="相同的种子给出相同的样本",
    hint="Seed the generator that draws the noise with `seed`, and sample in evaluation mode.",
    hint_zh="用 seed 初始化产生噪声的随机数生成器，并在评估模式下采样。",
)
def test_same_seed(main_run: Any, diagnosis: Any) -> None:
    run = main_run()
    answers = []
    for seed in (21, 22, 21):
        found = run.candidate.call("sample", run.model, 16, seed).tensor(what="sample")
        require(found.size == 16 * 64, f"sample: {found.shape} for 16 images")
        answers.append(found.astype(np.float64).reshape(-1))
    gap = float(np.abs(answers[0] - answers[2]).max())
    if gap > CLOSE:
        line = f"two calls with one seed differ by {gap:.2g}"
        diagnosis.suspect("seed_ignored", confidence=0.9, evidence=line)
    require(gap <= CLOSE, f"the same seed twice: samples differ by {gap:.2g}")


@pytest.mark.check(
    "noise_drives",
    criterion="noise_use",
    points=3,
    title="generate gives other images for other noise, the same for the same",
    title_zh="generate 对不同噪声给出不同图像，对相同噪声给出相同图像",
    hint="generate(model, z) runs the network on the z that it is given, draws nothing itself, in evaluation mode.",
    hint_zh="generate(model, z) 用传入的 z 运行网络，自己不再抽取随机数，并处于评估模式。",
)
def test_noise_drives(main_run: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    run = main_run()
    z = run.noise(64, rng)
    images = run.made(z)
    gap = float(np.abs(run.made(z) - images).max())
    real = run.data.train[:64].reshape(64, -1).astype(np.float64)

    def apart(rows: Any) -> float:
        return float(np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=2)).mean())

    driven = apart(images.reshape(64, -1)) / apart(real)
    if driven < 0.01:
        line = f"images of 64 noise vectors are {driven:.4f} times as far apart as training images"
        diagnosis.suspect("noise_ignored", confidence=0.9, evidence=line)
    elif gap > CLOSE:
        line = f"generate differs by {gap:.2g} for the same z; images are {driven:.2f} times as far apart as real ones"
        diagnosis.suspect("noise_redrawn", confidence=0.85, evidence=line)
    require(gap <= CLOSE, f"the same z twice: images differ by {gap:.2g}")
    if driven < DRIVEN:
        share = min(max((driven - DRIVEN_ZERO) / (DRIVEN - DRIVEN_ZERO), 0.0), 0.99)
        partial(share, f"images of different z are {driven:.2f} times as far apart as training images")


@pytest.mark.check(
    "batch_mates",
    criterion="noise_use",
    points=2,
    title="an image depends on its own noise, not on the batch",
    title_zh="图像只取决于自己的噪声，与同批其他噪声无关",
    hint="BatchNorm in training mode mixes the batch: call eval() before you generate.",
    hint_zh="训练模式下的 BatchNorm 会混合整个批量：生成前调用 eval()。",
)
def test_batch_mates(main_run: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    run = main_run()
    z = run.noise(32, rng)
    together = run.made(z)
    require(float(together.std(axis=0).max()) > CLOSE, "the image is the same whatever the noise")
    again = float(np.abs(run.made(z) - together).max())
    others = 3 * run.noise(32, rng)
    others[:4] = z[:4]
    apart = float(np.abs(run.made(others)[:4] - together[:4]).max())
    if apart > CLOSE and again <= CLOSE:
        line = f"four images change by {apart:.2f} with the other noise in the batch"
        diagnosis.suspect("train_mode_sampling", confidence=0.9, evidence=line)
    require(apart <= CLOSE, f"with other noise in the batch, images change by {apart:.2g}")
