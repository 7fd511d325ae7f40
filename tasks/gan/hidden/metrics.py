"""How good samples are, in plain numpy: no torch, which would cost each judge a second.

Pixels say whether samples are copies, how far apart they are and how bright; the 64 features of a small classifier
(`features.safetensors`, made by `make_features.py`) say whether they look like digits, and like which.

FD and the other distances are relative: divided by what the held-out real images have among themselves.
Coverage and density: Naeem et al., *Reliable Fidelity and Diversity Metrics for Generative Models*, ICML 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Weights = Mapping[str, NDArray[np.float32]]

NEIGHBOURS = 5
SIDE = 8
VIEWS = 16
"""Eight symmetries of the square, each as it is and inverted."""
COPY_DISTANCE = 0.25
"""A sample nearer to a training image than this share of the usual distance of an unseen real image is a copy."""
COPY_LINE, RATIO_LINE = 0.05, 0.85
"""More copies than the first, or a ratio below the second, is a generator that stores its training images."""
JUNK_FD, SPREAD = 1.2, 0.30
"""Samples from the first FD on look like nothing; those with a pair distance below the second are all alike."""


# --- views: the data set as it is shown to the candidate ---------------------------------------------


def shown(images: Floats, view: int) -> NDArray[np.float32]:
    """Images (N, 8, 8) in [0, 1] under one of `VIEWS` transformations that keep the difficulty."""
    moved = np.rot90(images, view % 4, axes=(1, 2))
    moved = moved.swapaxes(1, 2) if view % 8 >= 4 else moved
    return np.ascontiguousarray(1 - moved if view >= 8 else moved, dtype=np.float32)


def upright(images: Floats, view: int) -> NDArray[np.float32]:
    """The inverse of `shown`: what the feature classifier knows."""
    plain = 1 - images if view >= 8 else images
    plain = plain.swapaxes(1, 2) if view % 8 >= 4 else plain
    return np.ascontiguousarray(np.rot90(plain, -(view % 4), axes=(1, 2)), dtype=np.float32)


# --- the feature classifier --------------------------------------------------------------------------


def load_weights(path: Path) -> Weights:
    """The tensors of `features.safetensors`."""
    return safetensors.numpy.load_file(path)


def conv3x3(images: Floats, weight: Floats, bias: Floats) -> NDArray[np.float32]:
    """(N, C, H, W) with (D, C, 3, 3) and (D,) -> (N, D, H, W): a 3x3 convolution with padding 1."""
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))  # (N, C, H, W, 3, 3)
    columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, weight[0].size)  # (N H W, C 9)
    found = columns @ weight.reshape(len(weight), -1).T + bias  # (N H W, D)
    batch, _, height, width = images.shape
    return found.reshape(batch, height, width, -1).transpose(0, 3, 1, 2)


def halved(maps: Floats) -> NDArray[np.float32]:
    """2x2 max pooling."""
    batch, depth, height, width = maps.shape
    pooled: NDArray[np.float32] = maps.reshape(batch, depth, height // 2, 2, width // 2, 2).max(axis=(3, 5))
    return pooled


def features_and_scores(images: Floats, weights: Weights) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upright images (N, 8, 8) in [0, 1] -> features (N, 64) and the scores of the ten digits (N, 10)."""
    x = images[:, None].astype(np.float32)
    x = halved(np.maximum(conv3x3(x, weights["conv1.weight"], weights["conv1.bias"]), 0))  # (N, 16, 4, 4)
    x = halved(np.maximum(conv3x3(x, weights["conv2.weight"], weights["conv2.bias"]), 0))  # (N, 32, 2, 2)
    flat = x.reshape(len(x), -1)
    hidden = np.maximum(flat @ weights["fc1.weight"].T + weights["fc1.bias"], 0)  # (N, 64)
    scores = hidden @ weights["fc2.weight"].T + weights["fc2.bias"]  # (N, 11): ten digits and "no digit"
    return hidden.astype(np.float64), scores[:, :10].astype(np.float64)


# --- distances ---------------------------------------------------------------------------------------


def distances(left: Floats, right: Floats) -> NDArray[np.float64]:
    """Euclidean distances (N, M) between rows of (N, D) and (M, D)."""
    a, b = left.astype(np.float64), right.astype(np.float64)
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))


def root_trace(left: Floats, right: Floats) -> float:
    """Trace of (left right)^(1/2) for two covariances: by the eigenvalues of the symmetric root(l) right root(l)."""
    values, vectors = np.linalg.eigh(left)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    inner = root @ right @ root
    return float(np.sqrt(np.maximum(np.linalg.eigvalsh((inner + inner.T) / 2), 0)).sum())


def frechet(real: Floats, fake: Floats) -> float:
    """Frechet distance of two sets of features, over the total variance of the real ones: 0 is perfect, 1 unrelated."""
    apart = real.mean(axis=0) - fake.mean(axis=0)
    first, second = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    total = apart @ apart + np.trace(first) + np.trace(second) - 2 * root_trace(first, second)
    return float(total / np.trace(first))


def density_coverage(real: Floats, fake: Floats) -> tuple[float, float]:
    """Density (1 is as dense as real, without an upper end) and coverage (share of real balls that hold a sample)."""
    own = distances(real, real)
    radii = np.sort(own, axis=1)[:, NEIGHBOURS]  # the nearest is the image itself
    inside = distances(real, fake) <= radii[:, None]  # (real, fake)
    return float(inside.sum() / (NEIGHBOURS * fake.shape[0])), float(inside.any(axis=1).mean())


def pair_distance(images: Floats) -> float:
    """Mean distance between two different images of (N, D)."""
    between = distances(images, images)
    return float(between.sum() / (len(images) * (len(images) - 1)))


def nearest(images: Floats, training: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance of each image to its nearest training image, and the nearest over the second nearest."""
    two = np.sort(np.partition(distances(images, training), 1, axis=1)[:, :2], axis=1)
    return two[:, 0], two[:, 0] / np.maximum(two[:, 1], 1e-9)


# --- one verdict -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Data:
    """Real images (N, 8, 8) in [0, 1] as the candidate sees them, of some classes only; labels (N,)."""

    train: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    held_out: NDArray[np.float32]
    held_out_labels: NDArray[np.int64]
    classes: tuple[int, ...]
    view: int


def draw(stored: Mapping[str, Any], rng: np.random.Generator, *, classes: int, view: int | None = None) -> Data:
    """Some classes of the stored digits, in a random order, under a drawn view."""
    chosen = np.sort(rng.permutation(10)[:classes])
    drawn_view = int(rng.integers(VIEWS))
    view = drawn_view if view is None else view

    def part(name: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        labels = np.asarray(stored[f"{name}_labels"]).astype(np.int64)
        rows = rng.permutation(np.flatnonzero(np.isin(labels, chosen)))
        return shown(np.asarray(stored[f"{name}_images"])[rows] / 16, view), labels[rows]

    return Data(*part("train"), *part("test"), classes=tuple(int(digit) for digit in chosen), view=view)


@dataclass(frozen=True)
class Quality:
    """Everything that is measured of one set of samples."""

    fd: float
    density: float
    coverage: float
    modes: int
    """Classes of the training images that have at least 2 % of the samples."""
    absent: float
    """Share of the samples that look like a class which the training images lack."""
    pair: float
    std: float
    shift: float
    """Mean brightness minus that of real images, in the range [-1, 1]."""
    copies: float
    """Share of the samples that are training images, or nearly."""
    ratio: float
    """Mean of nearest over second nearest distance, over that of unseen real images: small where noise was added."""
    best_view: int
    """The view under which the samples look most like digits ..."""
    best_fd: float
    """... and their distance there."""
    histogram: tuple[float, ...]
    """Share of the samples for each of the ten classes."""

    @property
    def has_copies(self) -> bool:
        """Training images as they are."""
        return not self.copies <= COPY_LINE

    @property
    def has_near_copies(self) -> bool:
        """Training images with a little noise."""
        return not self.ratio >= RATIO_LINE

    @property
    def says_something(self) -> bool:
        """False for samples that look like nothing or are all alike: what they come from cannot be told."""
        return self.fd < JUNK_FD and self.pair >= SPREAD


def measure(samples: Floats, data: Data, weights: Weights) -> Quality:
    """The quality of samples (N, 8, 8) in [0, 1] that should look like `data`."""
    real = upright(data.held_out, data.view)
    real_features, _ = features_and_scores(real, weights)
    fake_features, fake_scores = features_and_scores(upright(samples, data.view), weights)
    histogram = np.bincount(fake_scores.argmax(axis=1), minlength=10) / len(samples)
    density, coverage = density_coverage(real_features, fake_features)
    flat_samples, flat_real = samples.reshape(len(samples), -1), data.held_out.reshape(len(real), -1)
    view, view_fd = best_view(samples, real_features, weights)
    copies, ratio = copying(flat_samples, flat_real, data.train.reshape(len(data.train), -1))
    return Quality(
        fd=frechet(real_features, fake_features),
        density=density,
        coverage=coverage,
        modes=int(sum(histogram[digit] >= 0.02 for digit in data.classes)),
        absent=float(1 - sum(histogram[digit] for digit in data.classes)),
        pair=pair_distance(flat_samples) / pair_distance(flat_real),
        std=float(samples.std() / data.held_out.std()),
        shift=float(2 * (samples.mean() - data.held_out.mean())),
        copies=copies,
        ratio=ratio,
        best_view=view,
        best_fd=view_fd,
        histogram=tuple(float(share) for share in histogram),
    )


def copying(samples: Floats, real: Floats, training: Floats) -> tuple[float, float]:
    """(copies, ratio) of `Quality`."""
    usual, usual_ratio = nearest(real, training)
    found, found_ratio = nearest(samples, training)
    copies = float(np.mean(found < COPY_DISTANCE * np.median(usual)))
    return copies, float(found_ratio.mean() / usual_ratio.mean())


def best_view(samples: Floats, real_features: Floats, weights: Weights) -> tuple[int, float]:
    """The view whose inverse brings the samples nearest to upright digits, and their distance there."""
    few = samples[::2]  # an even share, should samples come sorted
    found = [frechet(real_features, features_and_scores(upright(few, view), weights)[0]) for view in range(VIEWS)]
    return int(np.argmin(found)), float(min(found))
