"""The same tiny submissions through grader, nbgrader's autograder and plain pytest, side by side in one run.

    python -m benchmarks.peers [--count 200] [--serial 40] [--slots 1 2] [--output FILE]

grader grades `--count` submissions in containers, with each number of slots. The others work one after the other in
environments of their own, which are made from the package index and kept in out/bench/; they get `--serial`
submissions, since each costs them the same. nbgrader runs a notebook in a kernel, pytest a file in a process; neither
isolates anything. Every submission is right, and each tool must say so.
"""

from __future__ import annotations

import argparse
import ast
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from benchmarks.machine import ROOT, facts, timed
from grader.atomic import write_text

TINY = ROOT / "benchmarks" / "tiny"
KEPT = ROOT / "out" / "bench"
TASK = "tiny"
ASSIGNMENT = "ps1"
POINTS = 25
TORCH = os.environ.get("TORCH", "torch==2.13.0")
NBGRADER = "nbgrader>=0.9,<0.10"
PYTEST = "pytest>=8,<10"


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--serial", type=int, default=40)
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--output", type=Path, default=KEPT / "peers.json")
    options = parser.parse_args(arguments)
    for name, packages in (("nbgrader", [TORCH, NBGRADER]), ("pytest", [TORCH, PYTEST])):
        _environment(name, packages)
    figures: dict[str, Any] = {"schema_version": 1, "machine": facts(), "runs": []}
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        for number, (name, count, run) in enumerate(_contestants(options)):
            place = Path(folder, str(number))
            place.mkdir()
            figures["runs"].append({"tool": name, "submissions": count, **run(place, count)})
            _say(figures["runs"][-1])
    write_text(options.output, json.dumps(figures, indent=2) + "\n")
    print("\n".join([*table(figures["runs"]), f"written to {options.output}"]))
    return 0


def _contestants(options: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[Path, int], dict[str, float]]]]:
    for slots in options.slots:
        yield f"grader, {slots} slot{'s' * (slots > 1)}", options.count, lambda place, n, j=slots: _grader(place, n, j)
    yield "nbgrader", options.serial, _nbgrader
    yield "pytest", options.serial, _pytest


def table(runs: Sequence[dict[str, Any]]) -> list[str]:
    """A Markdown table; the ratio is to nbgrader's throughput."""
    peer = next(row["wall_s"] / row["submissions"] for row in runs if row["tool"] == "nbgrader")
    lines = ["| tool | submissions | wall s each | CPU s each | throughput, nbgrader = 1 |", "|---|---|---|---|---|"]
    for row in runs:
        each = row["wall_s"] / row["submissions"]
        cpu = row["cpu_s"] / row["submissions"]
        lines.append(f"| {row['tool']} | {row['submissions']} | {each:.2f} | {cpu:.2f} | {peer / each:.2f} |")
    return lines


def _grader(place: Path, count: int, slots: int) -> dict[str, float]:
    grader = (sys.executable, "-m", "grader.cli")
    subprocess.run([*grader, "tasks", "new", TASK, "-o", str(place), "--quiet"], cwd=ROOT, check=True)
    source = (TINY / "solution.py").read_text(encoding="utf-8")
    for number in range(count):
        folder = place / "submissions" / f"s{number:04}"
        folder.mkdir(parents=True)
        (folder / f"{TASK}.py").write_text(f"{source}# {number}\n", encoding="utf-8")
    where = (str(place / "submissions"), "-o", str(place / "out"), "--tasks-dir", str(place / "tasks"))
    command = [*grader, "batch", *where, "-j", str(slots), "--seed", "1", "--quiet", "--fail-under", "100"]
    figures = _timed(command, ROOT)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in (place / "out").glob("*/report.json")]
    if len(reports) != count:
        raise RuntimeError(f"{len(reports)} reports instead of {count}")
    figures["cpu_s"] += sum(task["resources"]["cpu_s"] for report in reports for task in report["tasks"])
    return figures


def _nbgrader(place: Path, count: int) -> dict[str, float]:
    programs = KEPT / "env-nbgrader" / "bin"
    tool = str(programs / "nbgrader")
    environment = {"HOME": str(place), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    (place / "nbgrader_config.py").write_text('c = get_config()\nc.CourseDirectory.course_id = "tiny"\n', "utf-8")
    source = place / "source" / ASSIGNMENT / f"{TASK}.ipynb"
    source.parent.mkdir(parents=True)
    nbformat.write(_notebook(), source)
    _timed([tool, "generate_assignment", ASSIGNMENT], place, environment)
    for number in range(count):
        folder = place / "submitted" / f"s{number:04}" / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(_answered(place / "release" / ASSIGNMENT / source.name), folder / source.name)
    figures = _timed([tool, "autograde", ASSIGNMENT], place, environment)
    _timed([tool, "export"], place, environment)
    with (place / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) != count or any(row["score"] != row["max_score"] for row in rows):
        raise RuntimeError("nbgrader did not give every submission full marks")
    return figures


def _notebook() -> NotebookNode:
    """The assignment as an instructor writes it: the solution between marks, and a cell for each check."""
    solution = (TINY / "solution.py").read_text(encoding="utf-8")
    marked = f"### BEGIN SOLUTION\n{solution}### END SOLUTION\n"
    tree = ast.parse((TINY / "checks.py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    helpers = "\n\n".join(ast.unparse(node) for node in functions if not node.name.startswith("test_"))
    cells = [_cell("solution", marked, solution=True), _cell("helpers", helpers)]
    tests = [node for node in functions if node.name.startswith("test_")]
    cells += [_cell(node.name, f"{ast.unparse(node)}\n\n{node.name}()", points=POINTS) for node in tests]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _cell(name: str, source: str, *, solution: bool = False, points: int = 0) -> NotebookNode:
    marks = {"grade_id": name, "schema_version": 3, "solution": solution, "grade": points > 0, "task": False}
    marks |= {"locked": not solution} | ({"points": points} if points else {})
    return new_code_cell(source, metadata={"nbgrader": marks})


def _answered(released: Path) -> NotebookNode:
    """What a student hands in: the released notebook with the solution in its place."""
    book = nbformat.read(released, as_version=4)
    book.cells[0].source = (TINY / "solution.py").read_text(encoding="utf-8")
    return book


def _pytest(place: Path, count: int) -> dict[str, float]:
    """A process for each submission, as a script around pytest would do it."""
    python = str(KEPT / "env-pytest" / "bin" / "python")
    total = {"wall_s": 0.0, "cpu_s": 0.0}
    for number in range(count):
        folder = place / f"s{number:04}"
        folder.mkdir()
        shutil.copy(TINY / "solution.py", folder)
        shutil.copy(TINY / "checks.py", folder / "test_tiny.py")
        for name, value in _timed([python, "-m", "pytest", "-q", "-p", "no:cacheprovider"], folder).items():
            total[name] += value
    return {name: round(value, 2) for name, value in total.items()}


def _timed(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> dict[str, float]:
    wall, cpu = timed(command, folder, env=environment)
    return {"wall_s": wall, "cpu_s": cpu}


def _environment(name: str, packages: list[str]) -> None:
    """Makes out/bench/env-NAME where it is not there."""
    folder = KEPT / f"env-{name}"
    done = folder / ".installed"
    if done.exists() and done.read_text(encoding="utf-8") == "\n".join(packages):
        return
    _say({"environment": name, "installing": packages})
    venv.create(folder, with_pip=True, clear=True)
    for package in packages:
        subprocess.run([str(folder / "bin" / "pip"), "install", "-qq", package], check=True)
    write_text(done, "\n".join(packages))


def _say(row: dict[str, Any]) -> None:
    print(json.dumps(row), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
