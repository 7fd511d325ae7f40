"""What a notebook costs beyond a module with the same code, in CPU seconds of the sandbox, in one run.

    python -m benchmarks.notebook_cost [--times 3] [--backend docker|process] [--plot] [SUBMISSION.py]

Each round grades the module and then its notebook (a cell for each function or class) with one seed, so that the
difference belongs to one moment of one machine. `--plot` adds a cell that draws with matplotlib, as notebooks do.
Both must get the same score; exit status 1 where they do not.
"""

from __future__ import annotations

import argparse
import ast
import json
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.machine import REFERENCE, ROOT, TASK
from grader.config import Settings
from grader.errors import GraderError
from grader.model import Report
from grader.pipeline import Request, grade
from grader.task import load_tasks

PLOT = ("%matplotlib inline\nimport matplotlib.pyplot as plt", "plt.plot([3, 2, 1]); plt.show()")


def cells_of(source: str) -> list[str]:
    """The source of a module as cells: one for each function or class, with what stands above it."""
    lines = source.splitlines(keepends=True)
    tops = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    starts = [min([node.lineno, *(mark.lineno for mark in node.decorator_list)]) - 1 for node in tops]
    bounds = [0, *(start for start in starts if start), len(lines)]
    texts = ["".join(lines[a:b]).strip() for a, b in pairwise(bounds)]
    return [text.replace("from __future__ import annotations", "") for text in texts if text]


def notebook(cells: list[str]) -> str:
    """A notebook of format 4.5."""
    rows: list[dict[str, Any]] = [
        {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None} for text in cells
    ]
    return json.dumps({"cells": rows, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notebook_cost")
    parser.add_argument("module", type=Path, nargs="?", default=REFERENCE)
    parser.add_argument("--task", default=TASK)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--backend", choices=("docker", "process"), default="docker")
    parser.add_argument("--plot", action="store_true")
    options = parser.parse_args(arguments)
    try:
        rounds = [_round(options, seed) for seed in range(1, options.times + 1)]
    except GraderError as error:
        print(f"notebook_cost: {error}", file=sys.stderr)
        return error.exit_code
    module, book = (statistics.median(column) for column in zip(*[row[:2] for row in rounds], strict=True))
    extra = statistics.median(second - first for first, second, _ in rounds)
    ratio = f"{extra:+.2f} s CPU (x {book / module:.2f}), {len(rounds)} rounds"
    print(f"module {module:.2f} s, notebook {book:.2f} s: {ratio}")
    same = all(equal for _, _, equal in rounds)
    print("the same score each time" if same else "NOT the same score")
    return 0 if same else 1


def _round(options: argparse.Namespace, seed: int) -> tuple[float, float, bool]:
    source = options.module.read_text(encoding="utf-8")
    cells = [*(PLOT if options.plot else ()), *cells_of(source)]
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        reports = [
            _graded(Path(folder), f"{options.task}.{suffix}", text, options, seed)
            for suffix, text in (("py", source), ("ipynb", notebook(cells)))
        ]
    first, second = (report.tasks[0].resources.cpu_s for report in reports)
    return first, second, reports[0].score == reports[1].score


def _graded(folder: Path, name: str, text: str, options: argparse.Namespace, seed: int) -> Report:
    path = folder / Path(name).suffix[1:] / name
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    tasks = load_tasks(ROOT / "tasks", [options.task])
    graded = grade(path.parent, Request(tasks=tasks, settings=Settings(backend=options.backend, seed=seed)))
    if graded.error is not None:
        raise graded.error
    return graded.report


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
