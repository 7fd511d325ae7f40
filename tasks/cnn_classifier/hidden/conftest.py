"""Data drawn at grading time and the trainings that several hidden checks share.

The main data set is the digits under a flip or a turn and with digit names permuted, both drawn for each run,
so nothing that was stored beforehand knows the labels. Every size below leaves more than one image in the
last batch for the usual batch sizes (16 to 256), also after holding out a tenth or a fifth: BatchNorm
cannot train on a single image, and that is no fault.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import require
from grader.judge.faults import CandidateFault

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]

TRAIN_CPU_S = 20
"""The limit of one training call, as PROMPT.md states it."""
NOISY_IMAGES = 718
WRONG_SHARE = 0.1
ENOUGH_LABELS = 90
"""Labels among which each of ten classes is all but sure to occur."""


@dataclass(frozen=True)
class Split:
    """Images (N, C, H, W) float32 in [0, 1] with labels (N,) int64 for training, and the same for testing."""

    images: Floats
    labels: Labels
    test_images: Floats
    test_labels: Labels
    classes: int


@dataclass(frozen=True)
class Material:
    """Everything that is drawn for one run."""

    digits: Split
    noisy_labels: Labels
    """Labels of the first `NOISY_IMAGES` digits, a tenth of them wrong."""
    patterns: Split
    shift: int
    """Labels plus this, modulo ten, are another task for the same images."""


@dataclass(frozen=True)
class Run:
    """One training: the process it happened in, the model, what `train_model` returned."""

    candidate: Any
    model: Any
    answer: Any
    data: Split
    device: str

    def answered(self, images: Floats) -> Labels:
        """`predict` (N,). Whole floats and a column are understood: they cost their marks in `label_type`, once."""
        found = self.candidate.call("predict", self.model, images).tensor(dtype="any", what="predict")
        require(found.size == len(images), f"predict: {found.shape} for {len(images)} images")
        numbers = np.clip(found.reshape(-1).astype(np.float64), -1e6, 1e6)
        require(bool(np.all(numbers == np.rint(numbers))), "predict: labels that are not whole numbers")
        return numbers.astype(np.int64)

    def labels(self, images: Floats) -> Labels:
        """`answered`, and classes counted from one are understood: they cost their marks where labels are compared
        with probabilities, once.
        """
        found = self.answered(images)
        from_one = len(found) >= ENOUGH_LABELS and found.max() == self.data.classes and found.min() == 1
        return found - int(from_one)

    def agreement(self) -> float:
        """Share of test images for which `predict` says what the module's own scores say.

        Normalising in `predict` instead of in forward is allowed, so the best of the usual ways counts.
        """
        labels, scores = self.labels(self.data.test_images), self.scorer()
        views = standardisations(self.data.images, self.data.test_images)
        return max(float(np.mean(scores(view).argmax(axis=1) == labels)) for view in views)

    def probabilities(self, images: Floats) -> NDArray[np.float64]:
        """`predict_proba` (N, classes)."""
        answer = self.candidate.call("predict_proba", self.model, images)
        shape = (len(images), self.data.classes)
        found = answer.tensor(shape=shape, dtype="floating", what="predict_proba")
        return np.clip(found.astype(np.float64), -1e6, 1e6)

    def views(self) -> list[float]:
        """Accuracy of the module's own scores for each way in which predict may standardise; raw images first."""
        scores = self.scorer()
        views = standardisations(self.data.images, self.data.test_images)
        return [float(np.mean(scores(view).argmax(axis=1) == self.data.test_labels)) for view in views]

    def learned(self, wanted: float) -> float:
        """`wanted`, or less where this model is weak anyway: what was lost there is not lost again."""
        return max(0.3, min(wanted, 0.8 * self.accuracy()))

    def accuracy(self) -> float:
        """Share of test images whose label `predict` finds."""
        return float(np.mean(self.labels(self.data.test_images) == self.data.test_labels))

    def scorer(self) -> Callable[[Floats], NDArray[np.float64]]:
        """The module's own forward pass in evaluation mode, on the CPU: (N, C, H, W) -> (N, classes)."""
        model = self.model if self.device == "cpu" else self._copy_on_cpu()
        model.eval()

        def scores(images: Floats) -> NDArray[np.float64]:
            shape = (len(images), self.data.classes)
            found = model(images).tensor(shape=shape, dtype="floating", what="forward")
            return np.clip(found.astype(np.float64), -1e6, 1e6)

        return scores

    def _copy_on_cpu(self) -> Any:
        copy = build(self.candidate, self.data)
        copy.load_state_of(self.model)
        return copy


def show(run: Run, evidence: Any) -> None:
    """Keeps a person's view of a training: the confusion matrix and the loss curve."""
    counts = np.zeros((run.data.classes, run.data.classes))
    inside = np.clip(run.labels(run.data.test_images), 0, run.data.classes - 1)
    np.add.at(counts, (run.data.test_labels, inside), 1)
    names = [str(number) for number in range(run.data.classes)]
    title = f"Test images by class, accuracy {run.accuracy():.3f}"
    evidence.matrix("confusion", counts, title=title, x="predicted", y="true", rows=names, columns=names, annotate=True)
    with contextlib.suppress(CandidateFault):  # a loss list of another form has a check of its own
        losses = run.answer.floats("loss", what="the loss list")
        evidence.curves(
            "loss", {"loss": losses}, title="Training loss as reported", x="epoch", y="cross-entropy (nats)"
        )


def standardisations(train: Floats, test: Floats) -> list[Floats]:
    """The test images as a predict function may hand them to forward: raw, or standardised in a usual way."""
    own_mean = test.mean(axis=(1, 2, 3), keepdims=True)
    own_std = test.std(axis=(1, 2, 3), keepdims=True) + 1e-6
    pixel = (test - train.mean(axis=0)) / (train.std(axis=0) + 1e-3)
    mnist = (test - 0.1307) / 0.3081  # constants that many know by heart
    whole = (test - train.mean()) / train.std()
    return [test, whole, 2 * test - 1, (test - own_mean) / own_std, pixel, mnist, 255 * test]


def build(candidate: Any, data: Split) -> Any:
    """A new model for `data` that has seen one batch, so that lazily built layers have their weights."""
    _, channels, size, _ = data.images.shape
    model = candidate.call("build_model", channels, data.classes, size).handle(what="the model")
    model.eval()
    model(data.images[:2])
    return model


def train(candidate: Any, data: Split, *, seed: int, device: str, epochs: int | None = None) -> Run:
    """Builds a model for `data` and trains it within the limit that PROMPT.md states."""
    _, channels, size, _ = data.images.shape
    model = candidate.call("build_model", channels, data.classes, size).handle(what="the model")
    answer = candidate.within(cpu_s=TRAIN_CPU_S).call(
        "train_model", model, data.images, data.labels, epochs=epochs, seed=seed, device=device
    )
    return Run(candidate, model, answer, data, device)


def turned(images: NDArray[np.uint8], turn: int) -> Floats:
    """(N, 8, 8) in 0..16 -> (N, 1, 8, 8) in [0, 1], under one of the eight symmetries of the square.

    They move pixels without mixing them, so a network from scratch finds each of them equally hard.
    """
    moved = np.rot90(images, turn % 4, axes=(1, 2))
    moved = moved.swapaxes(1, 2) if turn >= 4 else moved
    return np.ascontiguousarray(moved[:, None].astype(np.float32) / 16)


def draw_digits(rng: np.random.Generator) -> Split:
    """The digits under a drawn symmetry, with permuted names."""
    stored = np.load(Path(__file__).parent / "digits.npz")
    turn, names = int(rng.integers(8)), rng.permutation(10)
    order = rng.permutation(len(stored["train_labels"]))
    return Split(
        images=turned(stored["train_images"][order], turn),
        labels=names[stored["train_labels"][order].astype(np.int64)],
        test_images=turned(stored["test_images"], turn),
        test_labels=names[stored["test_labels"].astype(np.int64)],
        classes=10,
    )


def spoil(labels: Labels, rng: np.random.Generator, share: float) -> Labels:
    """`labels` with exactly `share` of them replaced by another class."""
    wrong = rng.choice(len(labels), int(share * len(labels)), replace=False)
    spoiled = labels.copy()
    spoiled[wrong] = (labels[wrong] + rng.integers(1, 10, len(wrong))) % 10
    return spoiled


def draw_patterns(rng: np.random.Generator, count: int) -> tuple[Floats, Labels]:
    """Coloured 8x8 textures (N, 3, 8, 8) of four kinds: rows, columns, chequers, diagonals; with noise."""
    y, x = np.mgrid[0:8, 0:8]
    masks = np.stack([y // 2 % 2, x // 2 % 2, (y // 2 + x // 2) % 2, (y + x) // 2 % 2])  # (4, 8, 8)
    labels = rng.permutation(np.arange(count) % 4)
    dark = rng.uniform(0.0, 0.3, (count, 3, 1, 1))
    light = rng.uniform(0.6, 1.0, (count, 3, 1, 1))
    images = dark + (light - dark) * masks[labels][:, None] + rng.normal(0, 0.1, (count, 3, 8, 8))
    return np.clip(images, 0, 1).astype(np.float32), labels.astype(np.int64)


@pytest.fixture(scope="session")
def material(drawn: np.random.Generator) -> Material:
    """All of it in one go, so that the draw does not depend on which checks run."""
    digits = draw_digits(drawn)
    noisy = spoil(digits.labels[:NOISY_IMAGES], drawn, WRONG_SHARE)
    images, labels = draw_patterns(drawn, 400)
    patterns = Split(images, labels, *draw_patterns(drawn, 200), classes=4)
    return Material(digits, noisy, patterns, shift=int(drawn.integers(1, 10)))


@pytest.fixture(scope="session")
def trainer(device: str) -> Callable[..., Run]:
    """`train` on the run's device."""

    def on_device(candidate: Any, data: Split, *, seed: int, epochs: int | None = None) -> Run:
        return train(candidate, data, seed=seed, device=device, epochs=epochs)

    return on_device


@pytest.fixture(scope="session")
def builder() -> Callable[[Any, Split], Any]:
    """`build`."""
    return build


@pytest.fixture(scope="session")
def shower(evidence: Any) -> Callable[[Run], None]:
    """`show`."""
    return lambda run: show(run, evidence)


@pytest.fixture(scope="session")
def main_run(shared: Any, material: Material, trainer: Callable[..., Run]) -> Callable[[], Run]:
    """The main training: all digits, the candidate's own number of epochs."""
    return shared(lambda candidate: trainer(candidate, material.digits, seed=7))


@pytest.fixture(scope="session")
def pattern_run(shared: Any, material: Material, trainer: Callable[..., Run]) -> Callable[[], Run]:
    """The colour textures with four classes."""
    return shared(lambda candidate: trainer(candidate, material.patterns, seed=8))


@pytest.fixture(scope="session")
def noisy_run(shared: Any, material: Material, trainer: Callable[..., Run]) -> Callable[[], Run]:
    """Half of the digits with some wrong labels."""
    clean = material.digits
    data = Split(clean.images[:NOISY_IMAGES], material.noisy_labels, clean.test_images, clean.test_labels, 10)
    return shared(lambda candidate: trainer(candidate, data, seed=9))
