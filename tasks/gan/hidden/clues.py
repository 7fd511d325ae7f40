"""What one training tells a person: pictures, and the slips that its figures point to. No check is decided here."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

SHOWN = 40
BINS = 16
UNUSED, USED = 0.20, 0.15
"""Share of the brightness scale that samples leave empty at one end; distance to which they come at the other."""


def show(run: Any, evidence: Any, metrics: Any) -> None:
    """Samples beside real images, the digits that they look like, and the nearest training images."""
    data, samples = run.data, run.samples
    evidence.images(
        "samples",
        {"training images": data.train[:SHOWN], "samples": samples[:SHOWN]},
        title="Training images and samples, as the candidate sees them",
    )
    near = metrics.distances(samples[:20].reshape(20, -1), data.train.reshape(len(data.train), -1)).argmin(axis=1)
    evidence.images(
        "nearest",
        {"samples": samples[:20], "nearest training image of each": data.train[near]},
        title="Samples and their nearest training images",
    )
    real = np.bincount(data.train_labels, minlength=10) / len(data.train_labels)
    evidence.bars(
        "modes",
        [str(digit) for digit in range(10)],
        {"training images": real, "samples": np.array(run.quality.histogram)},
        title="Digits among the training images and among the samples",
        x="digit",
        y="share",
    )
    show_figures(run, evidence)


def show_figures(run: Any, evidence: Any) -> None:
    """The metrics of the main training as a table."""
    quality = run.quality
    rows = [
        ["relative Frechet distance", f"{quality.fd:.3f}", "0 is perfect, 1 unrelated"],
        ["coverage", f"{quality.coverage:.3f}", "share of real images with a sample nearby"],
        ["density", f"{quality.density:.3f}", "1 is as dense as real images"],
        ["digits with 2 % or more", f"{quality.modes}", f"of {len(run.data.classes)}"],
        ["share of digits not in the training images", f"{quality.absent:.3f}", ""],
        ["pair distance", f"{quality.pair:.3f}", "over that of real images"],
        ["contrast", f"{quality.std:.3f}", "over that of real images"],
        ["brightness", f"{quality.shift:+.3f}", "minus that of real images, range 2"],
        ["copies", f"{quality.copies:.3f}", "share of samples that are training images"],
        ["nearest over second nearest", f"{quality.ratio:.3f}", "over that of unseen real images"],
    ]
    evidence.table("quality", ["quantity", "value", "meaning"], rows, title="Quality of the samples")


def show_scores(run: Any, evidence: Any) -> None:
    """Histograms of the discriminator's scores for real images and for samples: the contract returns no losses."""
    real, fake = run.scores(run.data.train[:200].astype(np.float64)), run.scores(run.samples[:200])
    edges = np.histogram_bin_edges(np.concatenate([real, fake]), bins=BINS)
    if not np.isfinite(edges).all():
        return
    series = {
        "training images": np.histogram(real, edges)[0] / len(real),
        "samples": np.histogram(fake, edges)[0] / len(fake),
    }
    labels = [f"{(low + high) / 2:.3g}" for low, high in itertools.pairwise(edges)]
    evidence.bars("scores", labels, series, title="What the discriminator says", x="score", y="share")


def look(run: Any, diagnosis: Any) -> None:
    """Suspects what the samples of the main training point to."""
    quality, raw = run.quality, run.raw.astype(np.float64)
    low, high = float(raw.min()), float(raw.max())
    seen = f"FD {quality.fd:.2f}, coverage {quality.coverage:.2f}, pair distance {quality.pair:.2f}"
    if low < -0.2 and high <= 1.001:
        diagnosis.suspect("range_not_rescaled", confidence=0.95, evidence=f"samples lie in [{low:.2f}, {high:.2f}]")
    if quality.pair < 0.01:
        line = f"samples are {quality.pair:.4f} times as far apart as real images"
        diagnosis.suspect("noise_ignored", confidence=0.85, evidence=line)
    elif narrow(run):
        bottom, top = np.quantile(run.samples, [0.02, 0.98])
        line = (
            f"96 % of the pixels lie in [{bottom:.2f}, {top:.2f}], contrast {quality.std:.2f} times that of real images"
        )
        diagnosis.suspect("range_mismatch", confidence=0.8, evidence=line)
    elif quality.std < 0.5 and quality.pair < 0.5:
        line = f"grey samples: contrast {quality.std:.2f}, {seen}"
        diagnosis.suspect("generator_never_trained", confidence=0.8, evidence=line)
    elif quality.pair < 0.5 or (quality.modes <= 3 and quality.fd > 0.35):
        line = f"{quality.modes} of {len(run.data.classes)} digits with 2 % or more of the samples, {seen}"
        diagnosis.suspect("mode_collapse", confidence=0.7 if quality.pair < 0.9 else 0.6, evidence=line)
    look_for_copies(run, diagnosis)
    look_for_stored(run, diagnosis)


def look_at_steps(run: Any, d: Any, g: Any, diagnosis: Any) -> None:
    """Where both steps go the right way and the samples are poor all the same, only guesses are left."""
    quality = run.quality
    if quality.fd <= 0.35 or d.gain <= 0 or g.gain <= 0 or narrow(run):
        return
    line = f"steps go the right way ({d.gain:+.2f} and {g.gain:+.2f} sd), yet FD is {quality.fd:.2f}"
    diagnosis.suspect("too_short", confidence=0.4, evidence=line)
    diagnosis.suspect("missing_zero_grad", confidence=0.3, evidence=line)


def narrow(run: Any) -> bool:
    """True where one end of the brightness scale is reached and the other never: rescaled twice, or out of reach.

    Real images use both ends in every view. docs/validity-gan.md has what slips and correct solutions showed.
    """
    bottom, top = np.quantile(run.samples, [0.02, 0.98])
    one_sided = (bottom > UNUSED and top > 1 - USED) or (top < 1 - UNUSED and bottom < USED)
    return bool(one_sided) and run.quality.std < 0.75


def look_for_copies(run: Any, diagnosis: Any) -> None:
    """Training images, noisy ones, averages of them."""
    quality = run.quality
    if quality.has_copies:
        line = (
            f"{quality.copies:.0%} of the samples are nearer to a training image than a quarter of the usual distance"
        )
        diagnosis.suspect("memorised", confidence=0.95, evidence=line)
    elif quality.has_near_copies:
        line = f"nearest over second nearest training image is {quality.ratio:.2f} times that of unseen real images"
        diagnosis.suspect("memorised", confidence=0.9, evidence=line)
    elif 0.5 <= quality.pair < 0.75 and quality.std < 0.9 and quality.fd < 0.35:
        line = f"pair distance {quality.pair:.2f} and contrast {quality.std:.2f} of real images at FD {quality.fd:.2f}"
        diagnosis.suspect("averages", confidence=0.7, evidence=line)


def look_for_stored(run: Any, diagnosis: Any) -> None:
    """Digits that the call did not show, or in a view in which it did not show them."""
    quality = run.quality
    if quality.absent > 0.3 and quality.fd < 0.9:
        line = f"{quality.absent:.0%} of the samples are digits that the training images lack"
        diagnosis.suspect("not_from_the_call", confidence=0.8, evidence=line)
    elif quality.best_view != run.data.view and quality.best_fd < 0.35:
        line = (
            f"samples are digits (FD {quality.best_fd:.2f}) in another view than the training images ({quality.fd:.2f})"
        )
        diagnosis.suspect("not_from_the_call", confidence=0.9, evidence=line)
