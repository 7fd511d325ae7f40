"""The numpy metrics of the task gan against values that are known, and the feature classifier against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.tasks.gan_suite import HIDDEN, load_metrics

metrics = load_metrics()
WEIGHTS = metrics.load_weights(HIDDEN / "features.safetensors")
STORED = np.load(HIDDEN / "digits.npz")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_frechet_distance_of_gaussians_is_the_formula(rng: np.random.Generator) -> None:
    scale = np.array([1.0, 2.0, 0.5])
    real, fake = rng.normal(size=(200_000, 3)), 1.0 + scale * rng.normal(size=(200_000, 3))
    wanted = (3 + ((scale - 1) ** 2).sum()) / 3
    assert metrics.frechet(real, fake) == pytest.approx(wanted, rel=0.02)
    assert metrics.frechet(real, real) == pytest.approx(0, abs=1e-9)


def test_frechet_distance_does_not_depend_on_the_axes(rng: np.random.Generator) -> None:
    real, fake = rng.normal(size=(500, 6)) * np.arange(1, 7), rng.normal(size=(500, 6)) + 0.3
    turn, _ = np.linalg.qr(rng.normal(size=(6, 6)))
    assert metrics.frechet(real @ turn, fake @ turn) == pytest.approx(metrics.frechet(real, fake), rel=1e-9)


def test_coverage_and_density_on_a_line() -> None:
    real = np.arange(100.0)[:, None]
    assert metrics.density_coverage(real, real)[1] == 1.0
    density, coverage = metrics.density_coverage(real, np.full((50, 1), 50.0))
    assert coverage == pytest.approx(0.07, abs=0.02)  # the balls of 47 to 53, whose radius is 3 on both sides
    assert density == pytest.approx(7 / 5, abs=0.4)
    assert metrics.density_coverage(real, np.full((50, 1), 1e4)) == (0.0, 0.0)


def test_distances_are_euclidean(rng: np.random.Generator) -> None:
    left, right = rng.normal(size=(7, 5)), rng.normal(size=(4, 5))
    wanted = np.linalg.norm(left[:, None] - right, axis=2)
    assert np.allclose(metrics.distances(left, right), wanted, atol=1e-9)
    assert metrics.pair_distance(np.array([[0.0, 0.0], [3.0, 4.0]])) == pytest.approx(5.0)


@pytest.mark.parametrize("view", range(16))
def test_each_view_has_its_inverse(view: int, rng: np.random.Generator) -> None:
    images = rng.random((3, 8, 8)).astype(np.float32)
    assert np.allclose(metrics.upright(metrics.shown(images, view), view), images, atol=1e-6)


def test_the_sixteen_views_are_different(rng: np.random.Generator) -> None:
    image = rng.random((1, 8, 8)).astype(np.float32)
    found = {metrics.shown(image, view).round(4).tobytes() for view in range(16)}
    assert len(found) == 16


def test_the_classifier_in_numpy_is_the_one_in_torch(rng: np.random.Generator) -> None:
    images = rng.random((9, 8, 8)).astype(np.float32)
    tensors = {name: torch.from_numpy(value) for name, value in WEIGHTS.items()}
    x = torch.from_numpy(images)[:, None]
    for name in ("conv1", "conv2"):
        x = functional.conv2d(x, tensors[f"{name}.weight"], tensors[f"{name}.bias"], padding=1)
        x = functional.max_pool2d(functional.relu(x), 2)
    wanted = functional.relu(functional.linear(x.flatten(1), tensors["fc1.weight"], tensors["fc1.bias"]))
    features, scores = metrics.features_and_scores(images, WEIGHTS)
    assert np.allclose(features, wanted.numpy(), atol=1e-4)
    assert scores.shape == (9, 10)


def test_the_classifier_knows_the_held_out_digits() -> None:
    _, scores = metrics.features_and_scores(STORED["test_images"] / 16, WEIGHTS)
    assert float(np.mean(scores.argmax(axis=1) == STORED["test_labels"])) > 0.94


def test_training_and_held_out_images_share_nothing() -> None:
    train = {image.tobytes() for image in STORED["train_images"]}
    assert not train & {image.tobytes() for image in STORED["test_images"]}


@pytest.mark.parametrize("view", [0, 5, 13])
def test_the_quality_of_known_samples(view: int, rng: np.random.Generator) -> None:
    data = metrics.draw(STORED, rng, classes=6, view=view)
    count = len(data.held_out)
    real = metrics.measure(data.held_out, data, WEIGHTS)
    assert (real.fd, real.coverage, real.modes, real.best_view) == (pytest.approx(0, abs=1e-6), 1.0, 6, view)
    copies = metrics.measure(data.train[:count], data, WEIGHTS)
    assert copies.copies == 1.0
    assert copies.fd < 0.05
    noisy = np.clip(data.train[:count] + rng.normal(0, 0.1, (count, 8, 8)), 0, 1)
    assert metrics.measure(noisy, data, WEIGHTS).ratio < 0.75
    noise = metrics.measure(rng.random((count, 8, 8)), data, WEIGHTS)
    assert noise.fd > 2
    assert noise.coverage == 0
    one = metrics.measure(np.repeat(data.train[:1], count, axis=0), data, WEIGHTS)
    assert one.modes == 1
    assert one.pair < 0.01
    assert one.fd > 1


def test_constant_samples_have_finite_figures(rng: np.random.Generator) -> None:
    data = metrics.draw(STORED, rng, classes=6)
    quality = metrics.measure(np.zeros((420, 8, 8)), data, WEIGHTS)
    assert all(np.isfinite(value) for value in (quality.fd, quality.coverage, quality.pair, quality.std, quality.ratio))
