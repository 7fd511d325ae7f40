"""Where the thresholds of the CNN task come from: every correct solution, and every mutant, on the hidden data.

Prints one Markdown table row for each solution with the quantity behind each threshold, so that a line can be put
between what correct code does and what broken code does. Everything runs in this process, without a sandbox and
without a suite: these are measurements, not verdicts. A solution that raises gets a row that says so.

    python -m benchmarks.cnn_thresholds [--seeds 10] [--mutant-seeds 3] [--only WORD] >> docs/thresholds.md

About 3 CPU seconds for each solution and seed on one idle core.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from grader.expectation import read_mutant
from grader.patch import apply_patch
from grader.worker.loading import load_entry, write_files

ROOT = Path(__file__).parent.parent
SOLUTIONS = ROOT / "reference" / "cnn_classifier"
ENTRY = "cnn_classifier.py"
WHOLE_SEEDS = 3
"""Seeds for which sorted and wrongly labelled data are trained on too: each is a training more."""
ROTATIONS = 4
HALF = 4
"""Columns of the left half of an image."""
MATRIX = 2
"""Dimensions from which on a tensor counts as a weight ..."""
WEIGHT_NUMBERS = 16
"""... and its least size; the hidden suite leaves smaller ones out too."""

Floats = NDArray[np.float32]
Namespace = Mapping[str, Any]


@dataclass(frozen=True)
class Digits:
    """Images (N, 1, 8, 8) in [0, 1] and labels (N,), for training and for testing."""

    images: torch.Tensor
    labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


def draw(seed: int) -> Digits:
    """The hidden digits under a drawn symmetry with permuted names, as the hidden suite draws them."""
    rng = np.random.default_rng(seed)
    stored = np.load(ROOT / "tasks" / "cnn_classifier" / "hidden" / "digits.npz")
    turn, names = int(rng.integers(8)), rng.permutation(10)

    def images(name: str) -> torch.Tensor:
        moved = np.rot90(stored[name], turn % ROTATIONS, axes=(1, 2))
        moved = moved.swapaxes(1, 2) if turn >= ROTATIONS else moved
        return torch.from_numpy(np.ascontiguousarray(moved[:, None].astype(np.float32) / 16))

    def labels(name: str) -> torch.Tensor:
        return torch.from_numpy(names[stored[name].astype(np.int64)])

    return Digits(images("train_images"), labels("train_labels"), images("test_images"), labels("test_labels"))


# --- the quantities behind the thresholds ----------------------------------------------------------


def array(value: object) -> NDArray[Any]:
    """The first tensor of an answer as an array."""
    if isinstance(value, tuple):
        value = value[0]
    return np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)


def seeded(function: Callable[..., Any], start: int, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - anything
    """Calls `function` with the global generators seeded, as the worker does, and its prints dropped."""
    random.seed(start)
    np.random.seed(start)  # noqa: NPY002 - the global generator is what candidates use
    torch.manual_seed(start)
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        return function(*args, **kwargs)


def trained(code: Namespace, images: torch.Tensor, labels: torch.Tensor, seed: int) -> tuple[nn.Module, Any, float]:
    """(model, log, CPU seconds of the training call)."""
    model = seeded(code["build_model"], seed, 1, 10, 8)
    started = time.process_time()
    log = seeded(code["train_model"], seed + 1, model, images, labels, epochs=None, seed=seed, device="cpu")
    return model, log, time.process_time() - started


def accuracy(code: Namespace, model: nn.Module, data: Digits) -> float:
    """Share of test images whose label is found."""
    return float(np.mean(array(code["predict"](model, data.test_images)).reshape(-1) == data.test_labels.numpy()))


def composition_error(code: Namespace, model: nn.Module, images: torch.Tensor) -> float:
    """Largest change of a probability when 96 images are predicted seven at a time, from training mode."""
    model.train()
    whole = array(code["predict_proba"](model, images))
    pieces = []
    for chunk in torch.split(images, 7):
        model.train()
        pieces.append(array(code["predict_proba"](model, chunk)))
    return float(np.abs(np.concatenate(pieces) - whole).max())


def scores(model: nn.Module, images: torch.Tensor) -> NDArray[np.float64]:
    """The module's forward pass in evaluation mode (N, 10)."""
    model.eval()
    with torch.no_grad():
        found: NDArray[np.float64] = array(model(images)).astype(np.float64)
    return found


def bend(model: nn.Module, images: torch.Tensor, seed: int) -> float:
    """|f(a) + f(b) - f(a + b - c) - f(c)| / |f(a + b - c) - f(c)| of centred scores: 0 for an affine network."""
    other = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed))
    left = torch.arange(8) < HALF

    def centred(x: torch.Tensor) -> NDArray[np.float64]:
        found = scores(model, x)
        return np.asarray(found - found.mean(axis=1, keepdims=True))

    base, together = centred(other), centred(images)
    apart = centred(torch.where(left, images, other)) + centred(torch.where(left, other, images))
    return float(np.linalg.norm(apart - together - base) / (np.linalg.norm(together - base) + 1e-12))


def still_share(code: Namespace, data: Digits, seed: int) -> float:
    """Share of the weight tensors (two or more dimensions, 16 or more numbers) that one epoch leaves as they were."""
    model = seeded(code["build_model"], seed, 1, 10, 8)
    model(data.images[:2])
    before = {name: value.clone() for name, value in model.state_dict().items()}
    few = data.images[:300], data.labels[:300]
    seeded(code["train_model"], seed, model, *few, epochs=1, seed=seed, device="cpu")
    after = model.state_dict()
    weights = [name for name, value in before.items() if value.ndim >= MATRIX and value.numel() >= WEIGHT_NUMBERS]
    return float(np.mean([bool(torch.equal(before[name], after[name])) for name in weights]))


def noisy_accuracy(code: Namespace, data: Digits, seed: int) -> float:
    """Accuracy after training on 718 digits of which a tenth has a wrong label."""
    rng = np.random.default_rng(seed)
    labels = data.labels[:718].clone()
    wrong = torch.from_numpy(rng.choice(718, 71, replace=False))
    labels[wrong] = (labels[wrong] + torch.from_numpy(rng.integers(1, 10, 71))) % 10
    model, _, _ = trained(code, data.images[:718], labels, seed)
    return accuracy(code, model, data)


def sorted_accuracy(code: Namespace, data: Digits, seed: int) -> float:
    """Accuracy after training on all digits sorted by class."""
    order = torch.argsort(data.labels, stable=True)
    model, _, _ = trained(code, data.images[order], data.labels[order], seed)
    return accuracy(code, model, data)


def measure(code: Namespace, seed: int, *, whole: bool) -> dict[str, float]:
    """Every quantity for one solution and one seed; those that need a training of their own only where `whole`."""
    data = draw(seed)
    model, log, cpu_s = trained(code, data.images, data.labels, seed)
    right = accuracy(code, model, data)
    final = scores(model, data.test_images)
    return {
        "accuracy": right,
        "sorted - main": sorted_accuracy(code, data, seed) - right if whole else math.nan,
        "noisy labels": noisy_accuracy(code, data, seed) if whole else math.nan,
        "composition": composition_error(code, model, data.test_images[:96]),
        "bend": bend(model, data.test_images[:40], seed),
        "still tensors": still_share(code, data, seed),
        "least loss": float(min(log["loss"])),
        "row sum - 1": float(np.abs(final.sum(axis=1) - 1).max()),
        "zero scores": float(np.mean(final == 0)),
        "CPU s": cpu_s,
    }


# --- solutions -------------------------------------------------------------------------------------


def folder_files(folder: Path) -> dict[str, bytes]:
    """The files of a solution, by relative path."""
    if folder == SOLUTIONS:
        return {ENTRY: (folder / ENTRY).read_bytes()}
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def solutions() -> Iterator[tuple[str, dict[str, bytes], bool]]:
    """(name, files, correct) of the reference, every style and every mutant."""
    yield "reference", folder_files(SOLUTIONS), True
    for folder in sorted((SOLUTIONS / "styles").iterdir()):
        yield folder.name, folder_files(folder), True
    for folder in sorted((SOLUTIONS / "mutants").iterdir()):
        base, _ = read_mutant(folder / "mutant.toml", "cnn_classifier")
        files = folder_files(SOLUTIONS if base == "reference" else SOLUTIONS / "styles" / base)
        yield f"*{folder.name}*", apply_patch(files, folder / "mutant.patch"), False


@contextlib.contextmanager
def loaded(files: Mapping[str, bytes]) -> Iterator[Namespace]:
    """The functions of a solution, executed from a folder of its own that is gone afterwards."""
    modules, paths = set(sys.modules), list(sys.path)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_files(Path(folder), files)
        yield load_entry(Path(folder), ENTRY).__dict__
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(folder):
            del sys.modules[name]


def row(name: str, files: Mapping[str, bytes], seeds: int) -> str:
    """One line of the table: least / mean / largest (sd) of each quantity."""
    try:
        with loaded(files) as code:
            results = [measure(code, seed, whole=seed < WHOLE_SEEDS) for seed in range(seeds)]
    except Exception as error:  # noqa: BLE001 - the border of a solution's code
        return f"| {name} | {seeds} | raises {type(error).__name__} |"
    cells = [summary(np.array([result[key] for result in results])) for key in results[0]]
    return f"| {name} | {seeds} | " + " | ".join(cells) + " |"


def summary(values: NDArray[np.float64]) -> str:
    """Least / mean / largest (standard deviation)."""
    values = values[~np.isnan(values)]
    if np.ptp(values) == 0:
        return f"{values[0]:.3g}"
    return f"{values.min():.3g} / {values.mean():.3g} / {values.max():.3g} ({values.std(ddof=1):.2g})"


HEAD = (
    "accuracy", "sorted - main", "noisy labels", "composition", "bend", "still tensors", "least loss", "row sum - 1",
    "zero scores", "CPU s",
)  # fmt: skip


def main() -> None:
    """Prints the table as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="seeds for each correct solution")
    parser.add_argument("--mutant-seeds", type=int, default=3, help="seeds for each mutant")
    parser.add_argument("--only", default="", help="only solutions whose name contains this")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("| solution | n | " + " | ".join(HEAD) + " |")
    print("|---" * (len(HEAD) + 2) + "|")
    for name, files, correct in solutions():
        seeds = options.seeds if correct else options.mutant_seeds
        if options.only in name and seeds:
            print(row(name, files, seeds), flush=True)


if __name__ == "__main__":
    main()
