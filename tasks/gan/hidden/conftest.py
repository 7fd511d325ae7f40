"""Data drawn at grading time, the trainings that several checks share, and what they say of the code.

The candidate is shown six of the ten digits, drawn for the run, in one of sixteen views (turned, flipped, inverted), so
one training answers two questions: are the samples good, and do they come from the call? A stored copy of the
data shows other digits, or shows them in another view. Everything that is sampled is sampled right after training,
before any check takes a step.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import partial, require
from grader.judge.faults import CandidateFault

Floats = NDArray[np.float64]

TRAIN_CPU_S = 60.0
"""The limit of one training, as PROMPT.md states it; always passed as `time_budget_s`."""
CLASSES = 6
SAMPLES = 420
"""As many as there are held-out images of six classes."""
SEEDS = (7, 17, 27)
SAMPLE_SEED = 1234


def load(name: str) -> ModuleType:
    """A module that lies beside this file; once for the whole suite."""
    key = f"gan_hidden_{name}"
    if key not in sys.modules:
        spec = importlib.util.spec_from_file_location(key, Path(__file__).parent / f"{name}.py")
        sys.modules[key] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[key])
    return sys.modules[key]


metrics = load("metrics")
clues = load("clues")
steps = load("steps")


def as_images(found: NDArray[Any], count: int) -> tuple[Floats, str]:
    """(images (count, 8, 8) in [0, 1], what was put right on the way). Costs its marks in the contract, once."""
    require(found.size == 64 * count, f"{found.shape} for {count} images of 8x8 pixels")
    images = np.clip(found.astype(np.float64).reshape(count, 8, 8), -300, 300)
    note = ""
    if images.min() < -0.2 and images.max() <= 1.2:
        images, note = (images + 1) / 2, "not rescaled from [-1, 1]"
    elif images.max() > 100:
        images, note = images / 255, "in 0..255"
    elif images.max() > 5:
        images, note = images / 16, "in 0..16"
    return np.clip(images, 0, 1), note


@dataclass
class Run:
    """One training: its process, its model, and 420 samples that were drawn right after it."""

    candidate: Any
    model: Any
    data: Any
    raw: NDArray[Any]
    quality: Any
    samples: Floats
    kept: dict[str, Any] = field(default_factory=dict)
    """What was measured once for several checks."""

    def once(self, name: str, work: Callable[[], Any]) -> Any:
        """`work()`, done at the first call; its fault is raised at each."""
        if name not in self.kept:
            try:
                self.kept[name] = work()
            except CandidateFault as fault:
                self.kept[name] = fault
        if isinstance(self.kept[name], CandidateFault):
            raise self.kept[name].with_traceback(None)
        return self.kept[name]

    def require_own(self) -> None:
        """A generator that copies its training images earns neither fidelity nor coverage."""
        copied = self.quality.has_copies or self.quality.has_near_copies
        require(not copied, "the samples are the training images, or those with a little noise")

    def require_something(self, what: str) -> None:
        """Samples that look like nothing, or are all alike, cannot show `what`."""
        require(self.quality.says_something, f"the samples show too little to tell {what}")

    def dim(self) -> int:
        """`latent_dim`."""
        dim = self.candidate.call("latent_dim", self.model).integer(what="latent_dim")
        require(1 <= dim <= 10_000, f"latent_dim is {dim}")
        return dim

    def noise(self, count: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Noise (count, latent_dim) from N(0, 1)."""
        return rng.standard_normal((count, self.dim())).astype(np.float32)

    def made(self, z: NDArray[np.float32]) -> Floats:
        """`generate` (n, 8, 8) in [0, 1]."""
        found = self.candidate.call("generate", self.model, z).tensor(what="generate")
        return as_images(found, len(z))[0]

    def show_scores(self, evidence: Any) -> None:
        """The discriminator's scores as a picture, once."""
        self.once("shown", lambda: clues.show_scores(self, evidence))

    def scores(self, images: Floats) -> Floats:
        """`discriminate` (n,) of images (n, 8, 8)."""
        asked = images[:, None].astype(np.float32)
        found = self.candidate.call("discriminate", self.model, asked).tensor(what="discriminate")
        require(found.size == len(images), f"discriminate: {found.shape} for {len(images)} images")
        return np.clip(found.astype(np.float64).reshape(-1), -1e9, 1e9)


def train(candidate: Any, data: Any, *, seed: int, device: str) -> Run:
    """Trains on `data` within the limit that PROMPT.md states, and samples."""
    model = candidate.within(cpu_s=TRAIN_CPU_S).keep(
        "train_gan", data.train[:, None], time_budget_s=TRAIN_CPU_S, seed=seed, device=device
    )
    raw = candidate.call("sample", model, SAMPLES, SAMPLE_SEED).tensor(dtype="any", what="sample")
    samples, _ = as_images(raw, SAMPLES)
    quality = metrics.measure(samples, data, metrics.load_weights(Path(__file__).parent / "features.safetensors"))
    return Run(candidate, model, data, raw, quality, samples)


@dataclass(frozen=True)
class Trainings:
    """The main training, and two more where it misses a line: then the median of three counts."""

    first: Callable[[], Run]
    others: tuple[Callable[[], Run], ...]

    def qualities(self) -> list[Any]:
        """Of all trainings that did not fault; a second or third one that did is as good as hopeless."""
        found = [self.first().quality]
        for other in self.others:
            try:
                found.append(other().quality)
            except CandidateFault:
                found.append(None)
        return found

    def settle(self, value: Callable[[Any], float], line: float, zero: float, what: str) -> None:
        """Marks for `value`, called `what`: full at `line`, none at `zero`, linear between, none for copies."""
        self.first().require_own()
        share, values = self.share(value, line, zero)
        shown = ", ".join(f"{number:.3f}" for number in values)
        if share < 1:
            partial(min(share, 0.99), f"{what} {shown}; full marks from {line:g}, none at {zero:g}")

    def share(self, value: Callable[[Any], float], line: float, zero: float) -> tuple[float, list[float]]:
        """(share of the points, the values behind it): full at `line`, none at `zero`, linear between.

        `line` may lie above or below `zero`. No more is trained where the first run is so bad that the median could
        not matter: no correct run of docs/validity-gan.md came near.
        """

        def share(quality: Any) -> float:
            return float(np.clip((value(quality) - zero) / (line - zero), 0, 1)) if quality is not None else 0.0

        first = self.first().quality
        if share(first) >= 1 or hopeless(first):
            return share(first), [value(first)]
        found = self.qualities()
        return float(np.median([share(one) for one in found])), [value(one) for one in found if one is not None]


HOPELESS_FD = metrics.JUNK_FD
"""A first run at or beyond this is not repeated. The line is 0.35, and all partial marks end at 0.90."""


def hopeless(quality: Any) -> bool:
    """True where samples are as far from the real images as those of a generator that learned nothing."""
    return bool(quality.fd >= HOPELESS_FD)


@pytest.fixture(scope="session")
def data(drawn: np.random.Generator) -> Any:
    """Six classes in one view, the same for every training of the run."""
    return metrics.draw(np.load(Path(__file__).parent / "digits.npz"), drawn, classes=CLASSES)


@pytest.fixture(scope="session")
def trainings(shared: Any, data: Any, device: str, diagnosis: Any, evidence: Any) -> Trainings:
    """The trainings of the run, each done at most once."""

    def recipe(seed: int) -> Callable[[Any], Run]:
        def work(candidate: Any) -> Run:
            run = train(candidate, data, seed=seed, device=device)
            if seed == SEEDS[0]:
                clues.show(run, evidence, metrics)
                clues.look(run, diagnosis)
            return run

        return work

    first, *others = (shared(recipe(seed)) for seed in SEEDS)
    return Trainings(first, tuple(others))


@pytest.fixture(scope="session")
def main_run(trainings: Trainings) -> Callable[[], Run]:
    """The main training."""
    return trainings.first


@pytest.fixture(scope="session")
def stepping(main_run: Callable[[], Run], drawn: np.random.Generator, data: Any) -> Callable[[], Any]:
    """`steps.Stepping` of the main model."""
    seed = int(drawn.integers(2**32))

    def get() -> Any:
        run = main_run()
        return run.once("stepping", lambda: steps.Stepping(run, np.random.default_rng(seed)))

    return get


@pytest.fixture(scope="session")
def look_at_steps() -> Callable[[Any, Any], None]:
    """Suspects, in the diagnosis, what both kinds of steps together point to."""
    return lambda stepping, diagnosis: clues.look_at_steps(stepping.run, stepping.d(), stepping.g(), diagnosis)
