"""Where the thresholds of the GAN task come from: every correct solution, many seeds, on data drawn as for grading.

Each training is one line of JSON in the output file, written as it ends, so an interrupted run is worth what it did;
trainings that the file already holds are not repeated. `--table` prints the Markdown tables of a file. Everything runs
in this process, without a sandbox and without a suite: these are measurements, not verdicts.

    python -m benchmarks.gan_thresholds [--seeds 20] [--only WORD] [--mutants] [--budget 600] -o runs.jsonl
    python -m benchmarks.gan_thresholds --baselines
    python -m benchmarks.gan_thresholds --table -o runs.jsonl

Each seed draws its own classes and its own view (turned, flipped, inverted), so the spread over the seeds is the spread
that candidates meet. 2 to 12 CPU seconds for each training on one idle core.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import math
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from grader.expectation import read_mutant
from grader.patch import apply_patch
from grader.worker.loading import load_entry, write_files
from grader.worker.verbs import first_tensor

ROOT = Path(__file__).parent.parent
SOLUTIONS = ROOT / "reference" / "gan"
HIDDEN = ROOT / "tasks" / "gan" / "hidden"
ENTRY = "gan.py"
RUNS = ROOT / "benchmarks" / "gan_runs.jsonl"
CLASSES = 6
SAMPLES = 420
"""As many as there are held-out images of six classes."""
BUDGET_S = 60.0
NEWEST = "wide_pull"
"""The quantity that was added last: rows without it are measured again, and are used for the others until then."""
QUANTITIES = ("fd", "coverage", "density", "modes", "absent", "pair", "std", "shift", "copies", "ratio", "cpu_s")

Floats = NDArray[np.float32]
Namespace = Mapping[str, Any]


def load_part(name: str) -> ModuleType:
    """A module of the hidden suite: what it measures is measured here."""
    spec = importlib.util.spec_from_file_location(f"gan_{name}", HIDDEN / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(HIDDEN / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


metrics, steps = load_part("metrics"), load_part("steps")
WEIGHTS = metrics.load_weights(HIDDEN / "features.safetensors")
STORED = np.load(HIDDEN / "digits.npz")


# --- solutions -----------------------------------------------------------------------------------------


def folder_files(folder: Path) -> dict[str, bytes]:
    """The files of a solution, by relative path."""
    if folder == SOLUTIONS:
        return {ENTRY: (folder / ENTRY).read_bytes()}
    paths = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def solutions(*, mutants: bool) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(name, files) of the reference and every style, or of every mutant."""
    if not mutants:
        yield "reference", folder_files(SOLUTIONS)
        for folder in sorted((SOLUTIONS / "styles").iterdir()):
            yield folder.name, folder_files(folder)
        return
    for folder in sorted((SOLUTIONS / "mutants").iterdir()):
        base, _ = read_mutant(folder / "mutant.toml", "gan")
        files = folder_files(SOLUTIONS if base == "reference" else SOLUTIONS / "styles" / base)
        yield f"*{folder.name}*", apply_patch(files, folder / "mutant.patch")


@contextlib.contextmanager
def loaded(files: Mapping[str, bytes]) -> Iterator[Namespace]:
    """The functions of a solution, executed from a folder of its own that is gone afterwards."""
    modules, paths = set(sys.modules), list(sys.path)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_files(Path(folder), files)
        yield load_entry(Path(folder), ENTRY).__dict__
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(folder):
                del sys.modules[name]
    sys.path[:] = paths


def seeded(function: Callable[..., Any], start: int, /, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - anything
    """Calls `function` with the global generators seeded, as the worker does, and its prints dropped."""
    random.seed(start)
    np.random.seed(start)  # noqa: NPY002 - the global generator is what candidates use
    torch.manual_seed(start)
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
        return function(*args, **kwargs)


# --- one run -------------------------------------------------------------------------------------------


def array(value: object) -> NDArray[np.float64]:
    """The first tensor of an answer, or an array, or a list of numbers."""
    found = value if isinstance(value, np.ndarray | list) else first_tensor(value)
    return np.asarray(found.detach() if isinstance(found, torch.Tensor) else found, dtype=np.float64)


class LocalRun:
    """What the suite's `Stepping` asks of a run, answered by functions of this process."""

    def __init__(self, code: Namespace, model: object, data: Any, seed: int) -> None:  # noqa: ANN401 - metrics.Data
        self.code, self.model, self.data, self._seed = code, model, data, seed
        self.candidate = self
        self.kept: dict[str, Any] = {}

    def once(self, name: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it gives
        """`work()`, done at the first call."""
        if name not in self.kept:
            self.kept[name] = work()
        return self.kept[name]

    def noise(self, count: int, rng: np.random.Generator) -> Floats:
        """Noise (count, latent_dim) from N(0, 1)."""
        return rng.standard_normal((count, int(self.code["latent_dim"](self.model)))).astype(np.float32)

    def made(self, z: Floats) -> NDArray[np.float64]:
        """`generate` (n, 8, 8)."""
        return array(self.code["generate"](self.model, torch.from_numpy(z))).reshape(-1, 8, 8)

    def scores(self, images: NDArray[np.float64]) -> NDArray[np.float64]:
        """`discriminate` (n,)."""
        return array(self.code["discriminate"](self.model, torch.from_numpy(steps.as_input(images)))).reshape(-1)

    def perform(self, name: str, model: object, *arguments: Floats) -> None:
        """One `d_step` or `g_step`."""
        seeded(self.code[name], self._seed, model, *(torch.from_numpy(argument) for argument in arguments))


def steps_of(code: Namespace, model: object, data: Any, seed: int) -> dict[str, float]:  # noqa: ANN401 - metrics.Data
    """What ten steps of each kind do to `generate` and `discriminate`."""
    stepping = steps.Stepping(LocalRun(code, model, data, seed), np.random.default_rng(seed))
    wide, d, g = stepping.wide(), stepping.d(), stepping.g()
    return {
        "wide_moves_g": wide.images,
        "wide_pull": wide.pull,
        "drift": stepping.drift() / max(g.images, 0.05),
        "d_moves_d": d.scores,
        "d_gain": d.gain,
        "g_moves_d": g.scores,
        "g_moves_g": g.images,
        "g_gain": g.gain,
        "g_lift": g.lift,
    }


def ranks(code: Namespace, model: object, data: Any, samples: NDArray[Any]) -> dict[str, float]:  # noqa: ANN401 - metrics.Data
    """Chance that the discriminator scores a real image above a sample, and above a flat grey one."""

    def scores(images: NDArray[Any]) -> NDArray[np.float64]:
        return array(code["discriminate"](model, torch.from_numpy(images[:, None].astype(np.float32)))).reshape(-1)

    real, fake = scores(data.train[:420]), scores(samples[:420])
    return {"real_above_fake": float(np.mean(real[:, None] > fake) + 0.5 * np.mean(real[:, None] == fake))}


def run(code: Namespace, seed: int) -> dict[str, Any]:
    """Every quantity of one training."""
    data = metrics.draw(STORED, np.random.default_rng(seed), classes=CLASSES)
    images = torch.from_numpy(data.train[:, None])
    started = time.process_time()
    model = seeded(code["train_gan"], seed, images, time_budget_s=BUDGET_S, seed=seed, device="cpu")
    cpu_s = time.process_time() - started
    samples = array(seeded(code["sample"], seed, model, SAMPLES, seed + 1)).reshape(-1, 8, 8)
    quality = asdict(metrics.measure(samples, data, WEIGHTS))
    return {
        **quality,
        "view": data.view,
        "view_found": bool(quality["best_view"] == data.view),
        "low": float(samples.min()),
        "high": float(samples.max()),
        "cpu_s": cpu_s,
        **ranks(code, model, data, samples),
        **steps_of(code, model, data, seed),
    }


def measure_all(path: Path, options: argparse.Namespace) -> None:
    """Runs what `path` lacks, seed by seed over all solutions, so that a partial file is a fair one."""
    done = {(row["solution"], row["seed"]) for row in read(path) if "raises" in row or NEWEST in row}
    cases = [case for case in solutions(mutants=options.mutants) if options.only in case[0]]
    started = time.process_time()
    for seed in range(options.seeds):
        for name, files in cases:
            if (name, seed) in done or time.process_time() - started > options.budget:
                continue
            try:
                with loaded(files) as code:
                    row = {"solution": name, "seed": seed, **run(code, seed)}
            except Exception as error:  # noqa: BLE001 - the border of a solution's code
                row = {"solution": name, "seed": seed, "raises": f"{type(error).__name__}: {error}"[:200]}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(compact(row), default=float) + "\n")


def compact(row: dict[str, Any]) -> dict[str, Any]:
    """The row with four digits for each number and without the histogram: a few hundred bytes."""
    kept = {key: value for key, value in row.items() if key != "histogram"}
    return {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in kept.items()}


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, the last one of each solution and seed; none where there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return list({(row["solution"], row["seed"]): row for row in rows}.values())


# --- generators that are no GAN ------------------------------------------------------------------------


def baselines(data: Any, rng: np.random.Generator) -> Iterator[tuple[str, NDArray[Any]]]:  # noqa: ANN401 - metrics.Data
    """(name, samples) of the known ways to fool single metrics."""
    train, labels, count = data.train, data.train_labels, SAMPLES
    picked = train[rng.integers(0, len(train), count)]
    yield "training images", picked
    for noise in (0.05, 0.1, 0.15, 0.2, 0.3):
        yield f"training images + noise {noise}", np.clip(picked + noise * rng.standard_normal(picked.shape), 0, 1)
    yield "training images x 0.7 to 1", picked * rng.uniform(0.7, 1, (count, 1, 1))
    yield "uniform noise", rng.random((count, 8, 8))
    yield "pixels shuffled across images", rng.permuted(np.repeat(train, 2, axis=0)[:count], axis=0)
    yield "mean image", np.repeat(train.mean(axis=0, keepdims=True), count, axis=0)
    means = np.stack([train[labels == digit].mean(axis=0) for digit in data.classes])
    yield "class means", means[rng.integers(0, len(means), count)]
    yield "one image", np.repeat(train[:1], count, axis=0)
    yield "one class", train[labels == data.classes[0]][rng.integers(0, 90, count)]
    four = train[np.isin(labels, data.classes[:4])]
    yield "four of six classes", four[rng.integers(0, len(four), count)]
    yield "pair averages", (picked + picked[::-1]) / 2
    yield "stored digits of all classes", stored_digits(rng, data.view)
    yield "stored digits, upright", stored_digits(rng, 0 if data.view else 1)
    yield "a Gaussian for each class", gaussians(data, rng)
    yield "held-out images", data.held_out[rng.permutation(len(data.held_out))[:count]]


def stored_digits(rng: np.random.Generator, view: int) -> Floats:
    """What a hidden copy of the data set would answer: all ten classes, other images."""
    rows = rng.integers(0, len(STORED["test_images"]), SAMPLES)
    found: Floats = metrics.shown(STORED["test_images"][rows] / 16, view)
    return found


def gaussians(data: Any, rng: np.random.Generator) -> Floats:  # noqa: ANN401 - metrics.Data
    """Samples of one full Gaussian for each class."""
    parts = []
    for digit in data.classes:
        flat = data.train[data.train_labels == digit].reshape(-1, 64)
        parts.append(rng.multivariate_normal(flat.mean(axis=0), np.cov(flat, rowvar=False), SAMPLES // CLASSES))
    return np.clip(np.concatenate(parts), 0, 1).reshape(-1, 8, 8).astype(np.float32)


def print_baselines(seeds: int) -> None:
    """One row for each baseline, over `seeds` draws of classes and view."""
    head = ("fd", "coverage", "density", "modes", "absent", "pair", "std", "shift", "copies", "ratio")
    print("| samples | " + " | ".join(head) + " | view found |\n" + "|---" * (len(head) + 2) + "|")
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in range(seeds):
        data = metrics.draw(STORED, np.random.default_rng(seed), classes=CLASSES)
        for name, samples in baselines(data, np.random.default_rng(seed + 1000)):
            quality = asdict(metrics.measure(samples, data, WEIGHTS))
            found.setdefault(name, []).append({**quality, "view": float(quality["best_view"] == data.view)})
    for name, rows in found.items():
        cells = [spread([row[key] for row in rows]) for key in head]
        print(f"| {name} | " + " | ".join(cells) + f" | {np.mean([row['view'] for row in rows]):.0%} |")


# --- tables --------------------------------------------------------------------------------------------


def spread(values: list[float]) -> str:
    """Least / mean / largest."""
    numbers = np.array(values, dtype=float)
    if not len(numbers):
        return "-"
    if np.ptp(numbers) == 0:
        return f"{numbers[0]:.3g}"
    return f"{numbers.min():.2g} / {numbers.mean():.2g} / {numbers.max():.2g}"


STEP_QUANTITIES = (
    *("d_moves_d", "wide_moves_g", "g_moves_d", "g_moves_g", "d_gain", "g_gain", "real_above_fake"),
    *("wide_pull", "g_lift"),
)
"""What was measured later is absent from older rows."""


def print_tables(path: Path) -> None:
    """The runs of a file, by solution."""
    rows = read(path)
    names = list(dict.fromkeys(row["solution"] for row in rows))
    for columns in (QUANTITIES, STEP_QUANTITIES):
        print("| solution | n | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 2) + "|")
        for name in names:
            own = [row for row in rows if row["solution"] == name and "raises" not in row]
            if own:
                cells = [spread([row[key] for row in own if key in row]) for key in columns]
                print(f"| {name} | {len(own)} | " + " | ".join(cells) + " |")
        print()
    for row in rows:
        if "raises" in row:
            print(f"{row['solution']}, seed {row['seed']}: {row['raises']}")


Line = tuple[str, Callable[[dict[str, Any]], float], float]
"""A check, a quantity that is good below a line, and that line."""


def gain(found: float) -> float:
    """Gains are ratios: their logarithms are spread evenly. Log to the base 10."""
    return math.log10(max(found, 1e-3))


LINES: tuple[Line, ...] = (
    ("frechet_distance", lambda row: row["fd"], 0.35),
    ("density", lambda row: -row["density"], -0.12),
    ("contrast: spread", lambda row: max(1 - row["std"], row["std"] - 1.05), 0.20),
    ("contrast: brightness", lambda row: abs(row["shift"]), 0.20),
    ("coverage", lambda row: -row["coverage"], -0.15),
    ("modes", lambda row: -row["modes"], -5.0),
    ("pair_distance", lambda row: abs(row["pair"] - 1), 0.22),
    ("no_copies", lambda row: row["copies"], 0.05),
    ("no_near_copies", lambda row: -row["ratio"], -0.85),
    ("only_shown_digits", lambda row: row["absent"], 0.28),
    ("same_view", lambda row: 1.0 - row["view_found"], 0.5),
    ("higher_is_more_real (log of the gain)", lambda row: -gain(row["d_gain"]), -gain(0.10)),
    ("d_step_direction (log of the gain)", lambda row: -gain(row["d_gain"]), -gain(0.05)),
    ("g_step_direction (log of the gain)", lambda row: -gain(row["g_gain"]), -gain(0.05)),
    ("d_step_leaves_generator", lambda row: row["wide_moves_g"] / max(row["g_moves_g"], 0.05), 0.40),
    ("g_step_leaves_discriminator", lambda row: row["g_moves_d"] / max(row["d_moves_d"], 0.5), 0.80),
    ("d_step_leaves_generator: drift where ten steps pull", lambda row: row.get("drift", 0.0), 0.03),
    ("g_step_leaves_discriminator: lift", lambda row: row["g_lift"], 1.2),
    ("a hopeless first run", lambda row: row["fd"], 1.2),
)
REPEATED = 11
"""The first so many lines are judged by the median of three where the first run misses."""


def print_margins(path: Path) -> None:
    """How far from each line the worst run and the worst solution are, and what that says of a false failure."""
    rows = [row for row in read(path) if "raises" not in row]
    print(
        "| check | line | runs | missed | worst run | worst solution: mean (sd) | sd to the line | one run | median |"
    )
    print("|---" * 9 + "|")
    for number, (name, value, line) in enumerate(LINES):
        families: dict[str, list[float]] = {}
        for row in rows:
            with contextlib.suppress(KeyError):  # rows of earlier versions lack what was measured later
                families.setdefault(row["solution"], []).append(value(row))
        families = {key: found for key, found in families.items() if len(found) > 1}
        margins = {key: margin(found, line) for key, found in families.items()}
        worst = min(margins, key=lambda key: margins[key])
        chance = 0.5 * math.erfc(margins[worst] / math.sqrt(2))
        every = [one for found in families.values() for one in found]
        cells = [
            name,
            f"{abs(line):g}",
            str(len(every)),
            str(sum(one > line for one in every)),
            f"{abs(max(every)):.3g}",
            f"{worst}: {abs(float(np.mean(families[worst]))):.3g} ({np.std(families[worst], ddof=1):.2g})",
            f"{margins[worst]:.1f}",
            f"{chance:.1g}",
            f"{3 * chance**2:.1g}" if number < REPEATED else "-",
        ]
        print("| " + " | ".join(cells) + " |")


def margin(found: list[float], line: float) -> float:
    """Standard deviations between the mean and the line; many where nothing ever moves."""
    spread_of = float(np.std(found, ddof=1))
    return min((line - float(np.mean(found))) / max(spread_of, 1e-9), 99.0)


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=RUNS, help="one JSON row a training")
    parser.add_argument("--seeds", type=int, default=20, help="seeds for each solution")
    parser.add_argument("--only", default="", help="only solutions whose name contains this")
    parser.add_argument("--mutants", action="store_true", help="mutants instead of correct solutions")
    parser.add_argument("--budget", type=float, default=1e9, help="start no training after this many CPU seconds")
    parser.add_argument("--baselines", action="store_true", help="generators that are no GAN; trains nothing")
    parser.add_argument("--table", action="store_true", help="print the tables of the output file; trains nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.baselines:
        print_baselines(options.seeds)
    elif options.table:
        print_tables(options.output)
        print_margins(options.output)
    else:
        measure_all(options.output, options)


if __name__ == "__main__":
    main()
