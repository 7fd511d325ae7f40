# ruff: noqa: INP001, T201 -- a script that prints
"""`make demo`: grades every sample in candidates/ and every reference solution, each in a container of its own.

Also an example of the Python API: load tasks, grade a path, write the report, compare it with what the sample declares.

    python examples/demo.py [--only WORD] [--jobs N] [--output DIR]

Exit status 0 where everything is as declared, 3 where something is not, 4 without isolation, 5 where something could
not be graded.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

import psutil

from grader.config import Settings
from grader.errors import ExitCode, GraderError
from grader.expectation import Expectation, differences, full_marks, read_expected
from grader.model import Report, ReportStatus, Task
from grader.pipeline import Request, grade
from grader.reports.artifacts import save
from grader.sandbox.container import connect
from grader.sandbox.image import find_image
from grader.task import find_tasks
from grader.text import sanitize_line

ROOT = Path(__file__).resolve().parent.parent
HEADINGS = ("submission", "score", "expected", "status", "isolated", "attested", "as declared")


@dataclass(frozen=True)
class Sample:
    """A submission, and what it must get."""

    id: str
    path: Path
    expected: Expectation


@dataclass(frozen=True)
class Result:
    """A sample after grading; `problems` says in what it differs from what it declares."""

    sample: Sample
    report: Report
    problems: list[str]


def find_samples(tasks: Mapping[str, Task]) -> list[Sample]:
    """The reference of each task that has one, then every folder of candidates/ that declares what it must get."""
    references = [
        Sample(f"reference-{task_id}", ROOT / "reference" / task_id / f"{task_id}.py", full_marks(task_id))
        for task_id in tasks
    ]
    declared = sorted((ROOT / "candidates").glob("*/expected.toml"))
    samples = [Sample(path.parent.name, path.parent, read_expected(path)) for path in declared]
    return [sample for sample in references if sample.path.is_file()] + samples


def grade_one(sample: Sample, tasks: Mapping[str, Task], slot: int, output: Path) -> Result:
    """Grades a sample for the tasks that it declares and writes its report. `slot` gives its container a user id."""
    wanted = {task_id: tasks[task_id] for task_id in sample.expected.tasks if task_id in tasks} or dict(tasks)
    graded = grade(sample.path, Request(tasks=wanted, settings=Settings(), slot=slot, pictures=True))
    report = save(graded.report, graded.files, output / sample.id / "report.json")
    return Result(sample, report, differences(sample.expected, report))


def grade_all(samples: list[Sample], tasks: Mapping[str, Task], jobs: int, output: Path) -> Iterator[Result]:
    """Grades `jobs` samples at a time and gives each result as it comes. What runs is ended on an interrupt."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(grade_one, sample, tasks, slot, output) for slot, sample in enumerate(samples)]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for judge in psutil.Process().children():
                judge.terminate()  # a judge removes its own container
            raise


def table(results: list[Result]) -> list[str]:
    """The results as aligned lines, the ways in which one differs below its row."""
    rows = [_row(result) for result in results]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *rows, strict=True)]

    def line(cells: tuple[str, ...]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    lines = [line(HEADINGS), line(tuple("-" * width for width in widths))]
    for row, result in zip(rows, results, strict=True):
        lines += [line(row), *(f"    {sanitize_line(problem, 300)}" for problem in result.problems)]
    return lines


def _row(result: Result) -> tuple[str, ...]:
    report, attested = result.report, list(result.report.run.attestation.values())
    ran = any(task.checks for task in report.tasks)
    green = bool(attested) and all(task.get("green") for task in attested)
    return (
        result.sample.id,
        f"{report.score.percent:g} %",
        _expected(result.sample.expected),
        str(report.status),
        _yes(report.run.isolated) if ran else "-",
        _yes(green) if ran else "-",
        _yes(not result.problems),
    )


def _expected(expected: Expectation) -> str:
    if expected.status != ReportStatus.GRADED:
        return expected.status
    ranges = [f"{low:g}" if low == high else f"{low:g}-{high:g}" for low, high in _ranges(expected)]
    return ", ".join(ranges) + " %"


def _ranges(expected: Expectation) -> list[tuple[float, float]]:
    return [task.percent for task in expected.tasks.values()]


def _yes(value: bool) -> str:  # noqa: FBT001 - one question, one answer
    return "yes" if value else "NO"


def run(only: str, jobs: int, output: Path) -> int:
    """Grades and prints. Raises SandboxUnavailable before the first grading where nothing can be isolated."""
    tasks = find_tasks(Settings().tasks_dir)
    find_image(connect())
    samples = [sample for sample in find_samples(tasks) if only in sample.id]
    print(f"grading {len(samples)} submissions, {jobs} at a time, each in a container of its own", flush=True)
    started, results = time.monotonic(), {}
    for result in grade_all(samples, tasks, jobs, output):
        results[result.sample.id] = result
        score = f"{result.report.score.percent:5.1f} %"
        print(f"[{len(results):2}/{len(samples)}] {score}  {result.sample.id}", flush=True)
    ordered = [results[sample.id] for sample in samples]
    good = sum(not result.problems for result in ordered)
    print("\n" + "\n".join(table(ordered)) + "\n")
    print(f"{good} of {len(ordered)} as declared, {time.monotonic() - started:.0f} s")
    print(f"reports: {output}/<submission>/report.json")
    return _exit_code(ordered)


def _exit_code(results: list[Result]) -> int:
    if any(result.report.status is ReportStatus.UNGRADED for result in results):
        return ExitCode.UNGRADED
    return ExitCode.TASK_BROKEN if any(result.problems for result in results) or not results else ExitCode.GRADED


def main(arguments: list[str]) -> int:
    """The command; errors of ours are one line."""
    parser = argparse.ArgumentParser(prog="examples/demo.py", description="Grade the samples with real isolation.")
    parser.add_argument("--only", default="", metavar="WORD", help="only submissions whose name contains WORD")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="how many at a time")
    parser.add_argument("--output", type=Path, default=Path("out/demo"), metavar="DIR", help="where the reports go")
    options = parser.parse_args(arguments)
    try:
        return run(options.only, options.jobs, options.output)
    except GraderError as error:
        print(f"demo: {sanitize_line(str(error), 500)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("demo: interrupted; what was running has been stopped", file=sys.stderr)
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
