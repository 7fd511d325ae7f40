# ruff: noqa: INP001, T201 -- a script that prints
"""`make demo`: grades every sample in candidates/ and every reference solution, code in a container of its own.

Also an example of the Python API: a batch over submissions of one's own choice, its reports compared with what each
sample declares. A second run takes what has not changed from the first; `out/demo/index.html` shows all of it.

    python examples/demo.py [--only WORD] [--jobs N] [--output DIR]

Exit status 0 where everything is as declared, 3 where something is not, 4 without isolation, 5 where something could
not be graded.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.batch.command import Options, run_batch
from grader.batch.discovery import Found
from grader.config import Settings
from grader.errors import ExitCode, GraderError
from grader.expectation import Expectation, answered_score, differences, full_marks, read_expected
from grader.model import Report, ReportStatus, ScoredTask, Task
from grader.reports.as_json import read_report
from grader.sandbox.container import connect
from grader.sandbox.image import find_image
from grader.task import find_tasks
from grader.text import sanitize_line

ROOT = Path(__file__).resolve().parent.parent
HEADINGS = ("submission", "task", "score", "expected", "status", "isolated", "attested", "as declared")


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


def grade_all(samples: list[Sample], tasks: Mapping[str, Task], jobs: int | None, output: Path) -> list[Result]:
    """Grades the samples as one batch, each for the tasks that it declares, and compares the reports with those.

    Raises KeyboardInterrupt where somebody stopped it; the next run goes on from there.
    """
    found = [
        Found(id=sample.id, path=sample.path, tasks=tuple(name for name in sample.expected.tasks if name in tasks))
        for sample in samples
    ]
    finished = run_batch(found, tasks, Settings(), Options(out=output, jobs=jobs))
    if finished.interrupted:
        raise KeyboardInterrupt
    reports = [read_report(output / sample.id / "report.json") for sample in samples]
    return [
        Result(sample, report, differences(sample.expected, report))
        for sample, report in zip(samples, reports, strict=True)
    ]


def table(results: list[Result]) -> list[str]:
    """The results as aligned lines, one for each task, the ways in which a submission differs below its last."""
    rows = [_rows(result) for result in results]
    widths = [max(map(len, column)) for column in zip(HEADINGS, *(row for block in rows for row in block), strict=True)]

    def line(cells: tuple[str, ...]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    lines = [line(HEADINGS), line(tuple("-" * width for width in widths))]
    for block, result in zip(rows, results, strict=True):
        lines += [*map(line, block), *(f"    {sanitize_line(problem, 300)}" for problem in result.problems)]
    return lines


def _rows(result: Result) -> list[tuple[str, ...]]:
    """A line for each task; one for the whole where there is none. Names and verdict stand in the first."""
    report, expected = result.report, result.sample.expected
    verdict = _yes(not result.problems)
    tasks = [_task_cells(task, report, expected) for task in report.tasks]
    if not tasks:
        tasks = [("-", f"{report.score.percent:g} %", expected.status, str(report.status), "-", "-")]
    names = [(result.sample.id, verdict), *[("", "")] * (len(tasks) - 1)]
    return [(name, *cells, mark) for (name, mark), cells in zip(names, tasks, strict=True)]


def _task_cells(task: ScoredTask, report: Report, expected: Expectation) -> tuple[str, ...]:
    answered = sum("unanswered" not in question.flags for question in task.questions)
    share = f" ({answered} of {len(task.questions)}: {answered_score(task).percent:g} %)" if task.questions else ""
    wanted = expected.tasks.get(task.id)
    green = report.run.attestation.get(task.id, {}).get("green") is True
    return (
        task.id + share,
        f"{task.score.percent:g} %",
        _range(wanted.percent) if wanted and expected.status == ReportStatus.GRADED else expected.status,
        str(task.status),
        _yes(report.run.isolated) if task.checks else "-",
        _yes(green) if task.checks else "-",
    )


def _range(percent: tuple[float, float]) -> str:
    low, high = percent
    return f"{low:g} %" if low == high else f"{low:g}-{high:g} %"


def _yes(value: bool) -> str:  # noqa: FBT001 - one question, one answer
    return "yes" if value else "NO"


def run(only: str, jobs: int | None, output: Path) -> int:
    """Grades and prints. Raises SandboxUnavailable before the first grading where nothing can be isolated."""
    tasks = find_tasks(Settings().tasks_dir)
    find_image(connect())
    samples = [sample for sample in find_samples(tasks) if only in sample.id]
    print(f"grading {len(samples)} submissions, code in a container of its own", flush=True)
    started = time.monotonic()
    results = grade_all(samples, tasks, jobs, output)
    good = sum(not result.problems for result in results)
    print("\n" + "\n".join(table(results)) + "\n")
    print(f"{good} of {len(results)} as declared, {time.monotonic() - started:.0f} s")
    print(f"reports: {output}/<submission>/report.json; pages: {output}/index.html")
    return _exit_code(results)


def _exit_code(results: list[Result]) -> int:
    if any(result.report.status is ReportStatus.UNGRADED for result in results):
        return ExitCode.UNGRADED
    return ExitCode.TASK_BROKEN if any(result.problems for result in results) or not results else ExitCode.GRADED


def main(arguments: list[str]) -> int:
    """The command; errors of ours are one line."""
    parser = argparse.ArgumentParser(prog="examples/demo.py", description="Grade the samples with real isolation.")
    parser.add_argument("--only", default="", metavar="WORD", help="only submissions whose name contains WORD")
    parser.add_argument("--jobs", type=int, metavar="N", help="how many at a time")
    parser.add_argument("--output", type=Path, default=Path("out/demo"), metavar="DIR", help="where the reports go")
    options = parser.parse_args(arguments)
    try:
        return run(options.only, options.jobs, options.output)
    except GraderError as error:
        print(f"demo: {sanitize_line(str(error), 500)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("demo: interrupted; the same command goes on from here", file=sys.stderr)
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
