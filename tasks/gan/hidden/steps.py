"""What `d_step` and `g_step` do to a trained model, by the images and scores that it gives before and after."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.judge.faults import CandidateFault

Floats = NDArray[np.float64]

STEPS = 10
STEP_BATCH = 64
PULL_LINE = -0.15
"""A pull of `d_step`s below this is looked at again: BatchNorm's statistics may move images that way as well, as they
catch up with weights that moved and follow the noise of each step."""
AT_REST, IN_USE = 60, 30
"""So many `d_step`s with one noise bring statistics to rest on it (PyTorch's momentum leaves 0.2 % of a lag). Then so
many are taken with other noise, and the first again: statistics rest where they did, trained images do not."""
GAIN_LINE, SETTLING = 0.10, 60
"""A discriminator that learns from another generator than `generate` shows (a moving average) may gain nothing on one
batch: seen once in 30 trainings. It then has so many steps to settle, and two more batches."""


@dataclass(frozen=True)
class Moves:
    """What ten steps on one batch did: root mean squares of the change of images, and of centred scores."""

    images: float
    scores: float
    gain: float
    """In standard deviations of the scores: of real above generated (d_step), of generated ones (g_step)."""
    pull: float
    """What the change of the generated images alone does to their score, in the same unit and by the new discriminator:
    below 0 where they were made easier to tell."""
    lift: float
    """By how much the discriminator scores the same generated images higher, in the same unit: its own change."""


class Stepping:
    """d_steps and then g_steps on the main model, each measured once, always in this order.

    First ten `d_step`s with new images and noise each, none of them watched: what they do to `generate` is no more than
    statistics do in training. Then ten on the watched batch, which show the direction; then ten `g_step`s. A second
    look at `d_step` comes last: so many of them without a `g_step` upset the balance of the two networks.
    """

    def __init__(self, run: Any, rng: np.random.Generator) -> None:
        self.run, self._rng = run, rng
        self._watch()
        again = run.made(self.z)
        self.wobble = rms(again - self.fakes)
        """How far images move without any step, where generate draws something of its own. It costs its marks once."""

    def wide(self) -> Moves:
        """Ten `d_step`s with other images and noise than those that are watched."""
        return self.run.once("wide_d_steps", lambda: self._take("d_step", self._others))

    def d(self) -> Moves:
        """Ten `d_step`s on the watched batch. Where they gain nothing, the gain is the median of three batches."""
        return self.run.once("d_steps", self._d)

    def g(self) -> Moves:
        """Ten `g_step`s, after the d_steps where those can be taken."""
        try:
            self.d()
        except CandidateFault:  # costs its marks where d_step is judged
            self.run.kept.setdefault("no_d_steps", True)
        return self.run.once("g_steps", lambda: self._take("g_step", lambda: (self.z,)))

    def drift(self) -> float:
        """How far 30 `d_step`s move images (root mean square), with statistics at rest on one noise before and after.

        0 where they train the discriminator alone, and, without a look, where ten of them do not pull.
        """
        return self.run.once("drift", self._drift)

    def _drift(self) -> float:
        if self.wide().pull >= PULL_LINE:
            return 0.0
        with contextlib.suppress(CandidateFault):  # costs its marks where g_step is judged
            self.g()
        before = self._images_at_rest()
        self._perform("d_step", self._others, IN_USE)
        return rms(self._images_at_rest() - before)

    def _images_at_rest(self) -> Floats:
        z = self.z
        self._perform("d_step", lambda: (as_input(self._batch()[0]), z), AT_REST)
        return self.run.made(z)

    def _d(self) -> Moves:
        self.wide()
        moves = self._take("d_step", lambda: (as_input(self.real), self.z))
        gains = [moves.gain]
        if moves.gain <= GAIN_LINE and moves.scores > 0:
            self._perform("d_step", self._others, SETTLING)
            while len(gains) < 3:
                self._watch()
                gains.append(self._take("d_step", lambda: (as_input(self.real), self.z)).gain)
        return dataclasses.replace(moves, gain=float(np.median(gains)))

    def _watch(self) -> None:
        """Draws the real images and the noise that are watched from here on."""
        real, self.z = self._batch()
        self.real = real.astype(np.float64)
        self.fakes = self.run.made(self.z)
        self.both = np.concatenate([self.real, self.fakes])

    def _batch(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        train = self.run.data.train
        return train[self._rng.integers(0, len(train), STEP_BATCH)], self.run.noise(STEP_BATCH, self._rng)

    def _others(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        real, z = self._batch()
        return as_input(real), z

    def _perform(self, name: str, arguments: Callable[[], tuple[Any, ...]], count: int) -> None:
        for _ in range(count):
            self.run.candidate.perform(name, self.run.model, *arguments())

    def _take(self, name: str, arguments: Callable[[], tuple[Any, ...]]) -> Moves:
        run = self.run
        images, scores = run.made(self.z), run.scores(self.both)
        opinion = run.scores(images)
        self._perform(name, arguments, STEPS)
        images_after, scores_after = run.made(self.z), run.scores(self.both)
        scale = float(scores.std()) + 1e-9

        def gap(found: Floats) -> float:
            return float(found[:STEP_BATCH].mean() - found[STEP_BATCH:].mean())

        opinion_after = float(run.scores(images_after).mean())
        up = opinion_after - float(opinion.mean())
        gain = gap(scores_after) - gap(scores) if name == "d_step" else up
        apart = (scores_after - scores_after.mean()) - (scores - scores.mean())
        return Moves(
            images=rms(images_after - images),
            scores=rms(apart) / scale,
            gain=gain / scale,
            pull=(opinion_after - float(scores_after[STEP_BATCH:].mean())) / scale,
            lift=float((scores_after - scores)[STEP_BATCH:].mean()) / scale,
        )


def rms(change: NDArray[Any]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(change**2)))


def as_input(images: NDArray[Any]) -> NDArray[np.float32]:
    """(n, 8, 8) as the candidate's functions take them."""
    return images[:, None].astype(np.float32)
