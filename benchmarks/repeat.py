"""Grades correct solutions again and again: every score must be the same, whatever the secret seed.

    python -m benchmarks.repeat [--task cnn_classifier] [--times 20] [--styles] [--backend process] [SUBMISSION]
    python -m benchmarks.repeat --task transformer --styles --table [--version V]

Each grading draws a seed of its own, as in real use. Without SUBMISSION the task's reference is graded; `--styles` adds
all its styles. Each grading is one line of JSON in the output file, written as it ends, so a run that was cut off is
worth what it did, and the next one goes on where it stopped; gradings of other versions of the task or of the solution
do not count. One round grades every solution once, so that a partial file is a fair one.

Prints a Markdown table: for each solution the scores, and where a check did not always pass how often and with which
seeds. Exit status 0 where all scores of each are the same, 1 where not.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, TASK
from grader.atomic import write_text
from grader.config import Settings
from grader.errors import GraderError, UsageError
from grader.model import Outcome, Report
from grader.pipeline import Request, grade
from grader.submission import load_submission
from grader.task import load_tasks
from grader.verify import find_cases

RUNS = ROOT / "benchmarks" / "repeat_runs.jsonl"
Row = dict[str, Any]
HEAD = (
    "solution",
    "gradings",
    "percent: times",
    "checks that did not always pass (seeds)",
    "CPU s: least / mean / most",
)


@dataclass
class Tally:
    """How often each score came, how often each check did not pass and with which seeds, and the CPU seconds."""

    scores: Counter[float] = field(default_factory=Counter)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    """With these, `grader grade --seed` repeats a check that did not pass."""
    cpu_s: list[float] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Counts one grading."""
        self.scores[row["percent"]] += 1
        self.cpu_s.append(row["cpu_s"])
        for check, outcome in row["not_passed"].items():
            self.seeds.setdefault(f"{check} ({outcome})", []).append(row["seed"])

    def cells(self) -> list[str]:
        """For the table, without the name."""
        scores = ", ".join(f"{score:g}: {count}" for score, count in sorted(self.scores.items()))
        lost = "; ".join(f"{check}: {', '.join(map(str, seeds))}" for check, seeds in self.seeds.items())
        mean = sum(self.cpu_s) / len(self.cpu_s)
        cost = f"{min(self.cpu_s):.1f} / {mean:.1f} / {max(self.cpu_s):.1f}"
        return [str(self.scores.total()), scores, lost or "-", cost]


@dataclass(frozen=True)
class Solution:
    """What is graded, and what makes its rows its own."""

    name: str
    path: Path
    sha256: str


def row_of(name: str, report: Report) -> Row:
    """One grading, as it is kept."""
    task = report.tasks[0]
    return {
        "task": task.id,
        "version": task.version,
        "solution": name,
        "sha256": report.submission.sha256,
        "backend": report.run.backend,
        "seed": report.run.seed,
        "percent": report.score.percent,
        "not_passed": {check.id: str(check.outcome) for check in task.checks if check.outcome is not Outcome.PASSED},
        "cpu_s": round(task.resources.cpu_s, 2),
    }


def read(path: Path) -> list[Row]:
    """The rows of a file; none where there is no file. A last line that was cut off is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def mend(path: Path) -> None:
    """Makes the folder, and drops a last line that was cut off: the next row would be glued to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if text and not text.endswith("\n"):
        write_text(path, text[: text.rfind("\n") + 1])


def counted(rows: Iterable[Row], task: str, version: str, solutions: Iterable[Solution]) -> dict[str, Tally]:
    """The tally of each solution, from the rows of this version of the task and of the solution."""
    own = {solution.name: solution.sha256 for solution in solutions}
    found = {name: Tally() for name in own}
    for row in rows:
        name = row["solution"]
        if (row["task"], row["version"]) == (task, version) and own.get(name) == row["sha256"]:
            found[name].add(row)
    return found


def table(tallies: Mapping[str, Tally]) -> Iterator[str]:
    """Markdown, one row for each solution that was graded at all."""
    yield "| " + " | ".join(HEAD) + " |"
    yield "|---" * len(HEAD) + "|"
    for name, tally in tallies.items():
        if tally.cpu_s:
            yield "| " + " | ".join([name, *tally.cells()]) + " |"


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repeat")
    parser.add_argument("submission", type=Path, nargs="?")
    parser.add_argument("--task", default=TASK)
    parser.add_argument("--times", type=int, default=20, help="gradings of each solution, kept ones included")
    parser.add_argument("--jobs", "-j", type=int, default=1)
    parser.add_argument("--styles", action="store_true", help="every correct solution, not the reference alone")
    parser.add_argument("--backend", choices=("docker", "process"), default="docker")
    parser.add_argument("--table", action="store_true", help="print the table of the output file; grades nothing")
    parser.add_argument("--version", help="with --table: of the task; default: the one that grades now")
    parser.add_argument("--output", "-o", type=Path, default=RUNS, help="default: benchmarks/repeat_runs.jsonl")
    options = parser.parse_args(arguments)
    try:
        return _run(options)
    except GraderError as error:
        print(f"repeat: {error}", file=sys.stderr)
        return error.exit_code


def _run(options: argparse.Namespace) -> int:
    path, settings = options.output, Settings(backend=options.backend)
    tasks = load_tasks(settings.tasks_dir, [options.task])
    version, solutions = tasks[options.task].version, _solutions(options)
    if options.version and not options.table:
        raise UsageError("--version goes with --table", hint="what is graded now has the version of its task.toml")
    if not options.table:
        tallies = counted(read(path), options.task, version, solutions)
        _grade_all(
            path, Request(tasks=tasks, settings=settings), list(wanted(solutions, tallies, options.times)), options
        )
    tallies = counted(read(path), options.task, options.version or version, solutions)
    print("\n".join(table(tallies)))
    same = all(len(tally.scores) <= 1 for tally in tallies.values())
    print("all the same" if same else "NOT all the same")
    return 0 if same else 1


def wanted(solutions: list[Solution], tallies: Mapping[str, Tally], times: int) -> Iterator[Solution]:
    """The gradings that are missing, round by round."""
    for number in range(times):
        yield from (solution for solution in solutions if tallies[solution.name].scores.total() <= number)


def _grade_all(path: Path, request: Request, wanted: list[Solution], options: argparse.Namespace) -> None:
    mend(path)
    writing = threading.Lock()

    def once(number: int) -> None:
        solution = wanted[number]
        graded = grade(solution.path, Request(tasks=request.tasks, settings=request.settings, slot=number))
        if graded.error is not None:
            raise graded.error
        row = row_of(solution.name, graded.report)
        with writing, path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        lost = ", ".join(row["not_passed"])
        print(f"{number + 1}/{len(wanted)} {solution.name}: {row['percent']:g} % {lost}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for _ in pool.map(once, range(len(wanted))):
            pass


def _solutions(options: argparse.Namespace) -> list[Solution]:
    if options.submission:
        found = [(options.submission.name, options.submission)]
    else:
        kinds = ("reference", "style") if options.styles else ("reference",)
        cases = find_cases(options.task, ROOT / "reference", ROOT / "candidates")
        found = [(case.name, case.path) for case in cases if case.kind in kinds]
    return [Solution(name, path, load_submission(path, [options.task]).sha256) for name, path in found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
