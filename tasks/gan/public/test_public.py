"""What you can check yourself: `grader check` runs this file.

One training on 300 digits; the hidden suite asks more.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import require

Floats = NDArray[np.float64]

TRAIN_CPU_S = 60.0
MARGIN = 1e-3
"""Rounding that a value may lie outside of [0, 1]."""


@dataclass(frozen=True)
class Trained:
    """One trained model and 64 of its samples, (64, 1, 8, 8) if they have the right shape."""

    candidate: Any
    model: Any
    samples: Floats

    def flat(self) -> Floats:
        """The samples as rows (64, 64) in [0, 1]. A shape or range of their own costs marks elsewhere, once."""
        return flat_images(self.samples, 64)


def flat_images(images: Floats, count: int) -> Floats:
    """Images of any layout as rows of 64 pixels in [0, 1]."""
    require(images.size == 64 * count, f"{images.shape} for {count} images of 8x8 pixels")
    rows = np.clip(images.astype(np.float64).reshape(count, 64), -300, 300)
    rows = (rows + 1) / 2 if rows.min() < -0.2 else rows
    return np.clip(rows / 255 if rows.max() > 20 else rows, 0, 1)


def digits() -> NDArray[np.float32]:
    """300 digits, (300, 1, 8, 8) in [0, 1]."""
    stored = np.load(Path(__file__).parent / "digits_public.npz")
    return stored["images"][:, None].astype(np.float32) / 16


def noise(trained: Trained, count: int, rng: Any) -> NDArray[np.float32]:
    """Noise for `count` images."""
    dim = trained.candidate.call("latent_dim", trained.model).integer(what="latent_dim")
    require(1 <= dim <= 10_000, f"latent_dim is {dim}")
    return rng.standard_normal((count, dim)).astype(np.float32)


@pytest.fixture(scope="session")
def public_model(shared: Any, device: str) -> Any:
    """One training on the public digits."""

    def recipe(candidate: Any) -> Trained:
        model = candidate.within(cpu_s=TRAIN_CPU_S).keep(
            "train_gan", digits(), time_budget_s=TRAIN_CPU_S, seed=1, device=device
        )
        samples = candidate.call("sample", model, 64, 5).tensor(dtype="any", what="sample")
        return Trained(candidate, model, samples)

    return shared(recipe)


@pytest.mark.check(
    "sample_shape",
    criterion="contract",
    points=2,
    title="sample gives n images",
    title_zh="sample 给出 n 张图像",
    hint="Return a float tensor of shape (n, 1, 8, 8).",
    hint_zh="返回形状为 (n, 1, 8, 8) 的浮点张量。",
)
def test_sample_shape(public_model: Any) -> None:
    trained = public_model()
    trained.candidate.call("sample", trained.model, 5, 1).tensor(shape=(5, 1, 8, 8), dtype="floating", what="sample")


@pytest.mark.check(
    "sample_range",
    criterion="contract",
    points=2,
    title="the values of the samples lie in [0, 1]",
    title_zh="样本的取值在 [0, 1] 内",
    hint="tanh ends in [-1, 1]: rescale with (x + 1) / 2 before you return images.",
    hint_zh="tanh 的输出在 [-1, 1]：返回图像前用 (x + 1) / 2 换算。",
)
def test_sample_range(public_model: Any, diagnosis: Any) -> None:
    samples = public_model().samples
    low, high = float(samples.min()), float(samples.max())
    if low < -0.2 and high <= 1 + MARGIN:
        line = f"samples lie in [{low:.2f}, {high:.2f}]"
        diagnosis.suspect("range_not_rescaled", confidence=0.95, evidence=line)
    require(low >= -MARGIN and high <= 1 + MARGIN, f"the samples lie in [{low:.3g}, {high:.3g}]")


@pytest.mark.check(
    "generate_shape",
    criterion="contract",
    points=2,
    title="generate turns noise (n, latent_dim) into n images in [0, 1]",
    title_zh="generate 把噪声 (n, latent_dim) 变成 n 张取值在 [0, 1] 的图像",
    hint="latent_dim is the width of z; reshape z inside if the network wants (n, nz, 1, 1); rescale as in sample.",
    hint_zh="latent_dim 是 z 的宽度；若网络需要 (n, nz, 1, 1)，在内部变形；取值换算与 sample 相同。",
)
def test_generate_shape(public_model: Any, rng: Any) -> None:
    trained = public_model()
    images = trained.candidate.call("generate", trained.model, noise(trained, 6, rng)).tensor(
        shape=(6, 1, 8, 8), dtype="floating", what="generate"
    )
    low, high = float(images.min()), float(images.max())
    require(low >= -MARGIN and high <= 1 + MARGIN, f"the images lie in [{low:.3g}, {high:.3g}]")


@pytest.mark.check(
    "scores_shape",
    criterion="contract",
    points=2,
    title="discriminate gives one score for each image",
    title_zh="discriminate 为每张图像给出一个分数",
    hint="Return n finite numbers for images (n, 1, 8, 8) in [0, 1], any scale; they depend on the image.",
    hint_zh="对 (n, 1, 8, 8)、取值在 [0, 1] 的图像返回 n 个有限的数，尺度任意；分数应随图像变化。",
)
def test_scores_shape(public_model: Any) -> None:
    trained = public_model()
    scores = trained.candidate.call("discriminate", trained.model, digits()[:9]).tensor(what="discriminate")
    require(scores.size == 9, f"{scores.shape} for 9 images")
    require(bool(np.ptp(scores.astype(np.float64)) > 0), "the score is the same for every image")


@pytest.mark.check(
    "one_image",
    criterion="contract",
    points=1,
    title="a single image can be sampled, generated and scored",
    title_zh="可以只采样、生成或打分一张图像",
    hint="BatchNorm in training mode cannot take a batch of one: switch to evaluation mode; no bare squeeze.",
    hint_zh="训练模式下的 BatchNorm 不能处理单张图像：切换到评估模式；不要随意 squeeze。",
)
def test_one_image(public_model: Any, rng: Any) -> None:
    trained = public_model()
    z = noise(trained, 1, rng)
    for name, argument in (("generate", z), ("discriminate", digits()[:1])):
        found = trained.candidate.call(name, trained.model, argument).tensor(what=name)
        require(found.size == (64 if name == "generate" else 1), f"{name}: {found.shape} for one image")
    found = trained.candidate.call("sample", trained.model, 1, 3).tensor(what="sample")
    require(found.size == 64, f"sample: {found.shape} for one image")


@pytest.mark.check(
    "d_step_trains",
    criterion="step_separation",
    points=1,
    title="d_step changes what discriminate says",
    title_zh="d_step 改变 discriminate 的结果",
    hint="d_step(model, real, z): zero_grad, loss on real and generated images, backward, step of D's optimiser.",
    hint_zh="d_step(model, real, z)：zero_grad、在真实和生成图像上算损失、backward、D 的优化器 step。",
)
def test_d_step_trains(public_model: Any, rng: Any) -> None:
    trained = public_model()
    images = digits()[:32]
    before = trained.candidate.call("discriminate", trained.model, images).tensor(what="discriminate")
    for _ in range(3):
        trained.candidate.perform("d_step", trained.model, images, noise(trained, 32, rng))
    after = trained.candidate.call("discriminate", trained.model, images).tensor(what="discriminate")
    require(after.shape == before.shape, f"discriminate: {before.shape}, then {after.shape}")
    require(bool(np.any(after != before)), "three d_steps change no score")


@pytest.mark.check(
    "g_step_trains",
    criterion="step_separation",
    points=1,
    title="g_step changes what generate gives",
    title_zh="g_step 改变 generate 的结果",
    hint="g_step(model, z): zero_grad, loss of D's opinion of generated images, backward, step of G's optimiser.",
    hint_zh="g_step(model, z)：zero_grad、用 D 对生成图像的评价算损失、backward、G 的优化器 step。",
)
def test_g_step_trains(public_model: Any, rng: Any) -> None:
    trained = public_model()
    z = noise(trained, 32, rng)
    before = trained.candidate.call("generate", trained.model, z).tensor(what="generate")
    for _ in range(3):
        trained.candidate.perform("g_step", trained.model, z)
    after = trained.candidate.call("generate", trained.model, z).tensor(what="generate")
    require(after.shape == before.shape, f"generate: {before.shape}, then {after.shape}")
    require(bool(np.any(after != before)), "three g_steps change no image")


@pytest.mark.check(
    "plausible_brightness",
    criterion="fidelity",
    points=2,
    title="samples are about as bright and as contrasty as the training images",
    title_zh="样本的亮度和对比度与训练图像接近",
    hint="Real images need the range in which the generator ends: [-1, 1] for tanh, [0, 1] for sigmoid.",
    hint_zh="判别器看到的真实图像要与生成器输出的范围一致：tanh 用 [-1, 1]，sigmoid 用 [0, 1]。",
)
def test_plausible_brightness(public_model: Any) -> None:
    made, real = public_model().flat(), digits().reshape(-1, 64).astype(np.float64)
    shift, contrast = float(made.mean() - real.mean()), float(made.std() / real.std())
    require(abs(shift) <= 0.15, f"mean {made.mean():.2f}, of the training images {real.mean():.2f}")
    require(0.6 <= contrast <= 1.6, f"standard deviation {made.std():.2f}, of the training images {real.std():.2f}")


@pytest.mark.check(
    "not_all_alike",
    criterion="coverage",
    points=2,
    title="samples differ from each other",
    title_zh="样本彼此不同",
    hint="If all samples look the same the generator has collapsed, or never saw the noise.",
    hint_zh="如果样本都一样，说明生成器已经坍缩，或者没有用到噪声。",
)
def test_not_all_alike(public_model: Any) -> None:
    made, real = public_model().flat(), digits().reshape(-1, 64)[:64].astype(np.float64)

    def apart(rows: Floats) -> float:
        return float(np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=2)).mean())

    share = apart(made) / apart(real)
    require(share >= 0.5, f"two samples are {share:.2f} times as far apart as two training images")


@pytest.mark.check(
    "seeds_differ",
    criterion="noise_use",
    points=2,
    title="another seed gives other samples",
    title_zh="不同的种子给出不同的样本",
    hint="sample draws its noise from a generator that is seeded with `seed`.",
    hint_zh="sample 的噪声应来自用 seed 初始化的随机数生成器。",
)
def test_seeds_differ(public_model: Any) -> None:
    trained = public_model()
    one, two = (trained.candidate.call("sample", trained.model, 8, seed).tensor(what="sample") for seed in (1, 2))
    require(one.size == two.size == 512, f"sample: {one.shape} and {two.shape} for 8 images")
    gap = float(np.abs(flat_images(one, 8) - flat_images(two, 8)).mean())
    require(gap > 1e-3, f"the samples of two seeds differ by {gap:.1e} on average")
