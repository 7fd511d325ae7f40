"""Where the lines of the Transformer task's trainings come from: every correct solution on freshly drawn lessons.

Two trainings of one solution with one seed are one line of JSON in the output file, written as they end, so an
interrupted run is worth what it did; what the file already holds is not repeated. `--table` prints one Markdown row for
each solution with the quantity behind each stochastic line. Everything runs in this process, without a sandbox and
without a suite: these are measurements, not verdicts.

    python -m benchmarks.transformer_thresholds [--seeds 5] [--only WORD] [--mutants] [-o runs.jsonl]
    python -m benchmarks.transformer_thresholds --table [-o runs.jsonl]

About 10 CPU seconds for each solution and seed on one idle core.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from grader.expectation import read_mutant
from grader.patch import apply_patch
from grader.worker.loading import load_entry, write_files
from grader.worker.verbs import first_tensor, seed_everything

ROOT = Path(__file__).parent.parent
SOLUTIONS = ROOT / "reference" / "transformer"
ENTRY = "transformer.py"
RUNS = ROOT / "benchmarks" / "transformer_runs.jsonl"
HEAD = ("reversal", "drawn order", "own choice", "padding predicted", "untrained", "CPU s, two trainings")


def suite() -> ModuleType:
    """The hidden suite's conftest: its lessons are what is trained on here too."""
    path = ROOT / "tasks" / "transformer" / "hidden" / "conftest.py"
    spec = importlib.util.spec_from_file_location("transformer_suite", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def tensors(*arrays: NDArray[Any]) -> list[torch.Tensor]:
    """As the worker hands them over."""
    return [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays]


def array(value: object) -> NDArray[Any]:
    """The first tensor of an answer, or the list, as an array."""
    if isinstance(value, list | np.ndarray):
        return np.asarray(value)
    return first_tensor(value).detach().numpy()


def decoded(code: Mapping[str, Any], model: Any, lesson: Any) -> NDArray[Any]:  # noqa: ANN401 - a candidate's object
    """The decoded test sequences (N, T)."""
    (src,) = tensors(lesson.test.src)
    return array(code["greedy_decode"](model, src, lesson.bos_id, lesson.test.tgt_out.shape[1]))


def right(found: NDArray[Any], lesson: Any) -> float:  # noqa: ANN401 - the suite's Lesson
    """Share of right tokens up to each sequence's length."""
    return float(np.mean((found == lesson.test.tgt_out)[lesson.test.real]))


def trained(code: Mapping[str, Any], lesson: Any, seed: int) -> tuple[Any, float, float]:  # noqa: ANN401
    """(model, share of right tokens before training, CPU seconds of the training call)."""
    names = ("src_vocab", "tgt_vocab", "d_model", "n_heads", "n_layers", "d_ff", "dropout", "pad_id", "max_len")
    seed_everything(seed)
    model = code["build_transformer"](*(lesson.sizes[name] for name in names))
    before = right(decoded(code, model, lesson), lesson)
    started = time.process_time()
    data = tensors(lesson.train.src, lesson.train.tgt_in, lesson.train.tgt_out)
    code["train_seq2seq"](model, *data, **lesson.settings, seed=seed, device="cpu")
    return model, before, time.process_time() - started


def rows_of(model: Any, lesson: Any, tgt: NDArray[Any]) -> NDArray[Any]:  # noqa: ANN401
    """Scores (N, T, tgt_vocab) under teacher forcing with `tgt`, in evaluation mode."""
    model.eval()
    with torch.no_grad():
        return array(model(*tensors(lesson.test.src, tgt))).reshape(*tgt.shape, -1)


def measure(code: Mapping[str, Any], tools: ModuleType, seed: int) -> dict[str, float]:
    """Every quantity for one solution and one seed."""
    rng = np.random.default_rng(seed)
    reversal, drawn = tools.reversal(rng), tools.drawn_order(rng)
    first, before, first_s = trained(code, reversal, seed)
    second, _, second_s = trained(code, drawn, seed)
    found, test = decoded(code, second, drawn), drawn.test
    told = np.concatenate([np.full((len(found), 1), drawn.bos_id), found[:, :-1]], axis=1)
    own = rows_of(second, drawn, told).argmax(-1) == found
    padded = rows_of(second, drawn, test.tgt_in).argmax(-1) == drawn.sizes["pad_id"]
    return {
        "reversal": right(decoded(code, first, reversal), reversal),
        "drawn order": right(found, drawn),
        "own choice": float(np.mean(own[test.real])),
        "padding predicted": float(np.mean(padded[~test.real])),
        "untrained": before,
        "CPU s, two trainings": first_s + second_s,
    }


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of a solution, by relative path."""
    if folder == SOLUTIONS:
        return {ENTRY: (folder / ENTRY).read_bytes()}
    paths = [path for path in folder.rglob("*.py") if "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def solutions(*, mutants: bool) -> Iterator[tuple[str, dict[str, bytes]]]:
    """(name, files) of the reference and every style, or of every mutant."""
    if not mutants:
        yield "reference", files_of(SOLUTIONS)
        for folder in sorted((SOLUTIONS / "styles").iterdir()):
            yield folder.name, files_of(folder)
        return
    for folder in sorted((SOLUTIONS / "mutants").iterdir()):
        base, _ = read_mutant(folder / "mutant.toml", "transformer")
        files = files_of(SOLUTIONS if base == "reference" else SOLUTIONS / "styles" / base)
        yield f"*{folder.name}*", apply_patch(files, folder / "mutant.patch")


@contextlib.contextmanager
def loaded(files: Mapping[str, bytes]) -> Iterator[Mapping[str, Any]]:
    """The functions of a solution, executed from a folder of its own that is gone afterwards."""
    modules, paths = set(sys.modules), list(sys.path)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        write_files(Path(folder), files)
        yield load_entry(Path(folder), ENTRY).__dict__
    sys.path[:] = paths
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(folder):
            del sys.modules[name]


def row(name: str, files: Mapping[str, bytes], tools: ModuleType, seed: int) -> dict[str, Any]:
    """Every quantity of one solution and one seed, with four digits; or the exception that ended it."""
    sink = io.StringIO()
    try:
        with loaded(files) as code, contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            found = measure(code, tools, seed)
    except Exception as error:  # noqa: BLE001 - the border of a solution's code
        return {"solution": name, "seed": seed, "raises": type(error).__name__}
    return {"solution": name, "seed": seed, **{key: float(f"{value:.4g}") for key, value in found.items()}}


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of a file; none where there is no file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def measure_all(path: Path, options: argparse.Namespace) -> None:
    """Runs what `path` lacks, seed by seed over all solutions, so that a partial file is a fair one."""
    done = {(found["solution"], found["seed"]) for found in read(path)}
    cases = [case for case in solutions(mutants=options.mutants) if options.only in case[0]]
    tools = suite()
    for seed in range(options.seeds):
        for name, files in cases:
            if (name, seed) not in done:
                line = json.dumps(row(name, files, tools, seed))
                with path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")


def print_table(path: Path) -> None:
    """One line for each solution: least / mean / largest (sd) of each quantity."""
    rows = read(path)
    print("| solution | n | " + " | ".join(HEAD) + " |")
    print("|---" * (len(HEAD) + 2) + "|")
    for name in dict.fromkeys(found["solution"] for found in rows):
        own = [found for found in rows if found["solution"] == name and "raises" not in found]
        raised = [str(found["raises"]) for found in rows if found["solution"] == name and "raises" in found]
        cells = [summary(np.array([found[key] for found in own])) for key in HEAD] if own else []
        print(f"| {name} | {len(own)} | " + " | ".join([*cells, *raised]) + " |")


def summary(values: NDArray[np.float64]) -> str:
    """Least / mean / largest (standard deviation)."""
    if np.ptp(values) == 0:
        return f"{values[0]:.3g}"
    return f"{values.min():.3g} / {values.mean():.3g} / {values.max():.3g} ({values.std(ddof=1):.2g})"


def main() -> None:
    """Measures, or prints what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=RUNS, help="one JSON row for each solution and seed")
    parser.add_argument("--seeds", type=int, default=5, help="seeds for each solution")
    parser.add_argument("--only", default="", help="only solutions whose name contains this")
    parser.add_argument("--mutants", action="store_true", help="the mutants instead of the correct solutions")
    parser.add_argument("--table", action="store_true", help="print the table of the output file; trains nothing")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.table:
        print_table(options.output)
    else:
        measure_all(options.output, options)


if __name__ == "__main__":
    main()
