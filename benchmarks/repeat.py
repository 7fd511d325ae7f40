"""Grades correct solutions again and again: every score must be the same, whatever the secret seed.

    python -m benchmarks.repeat [--task cnn_classifier] [--times 50] [--styles] [SUBMISSION]

Each grading draws a seed of its own, as in real use. Without SUBMISSION the task's reference is graded; `--styles` adds
all its styles. Prints for each the set of scores and, where a check did not always pass, how often and with which
seeds; exit status 0 where all scores of each are the same, 1 where not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, TASK
from grader.atomic import write_text
from grader.config import Settings
from grader.errors import GraderError
from grader.model import Outcome, Report
from grader.pipeline import Request, grade
from grader.task import load_tasks
from grader.verify import find_cases


@dataclass
class Tally:
    """How often each score came, how often each check did not pass and with which seeds, and the CPU seconds."""

    scores: Counter[float] = field(default_factory=Counter)
    not_passed: Counter[str] = field(default_factory=Counter)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    """With these, `grader grade --seed` repeats a check that did not pass."""
    cpu_s: list[float] = field(default_factory=list)

    def add(self, report: Report) -> None:
        """Counts one grading."""
        self.scores[report.score.percent] += 1
        self.cpu_s.append(report.tasks[0].resources.cpu_s)
        for check in report.tasks[0].checks:
            if check.outcome is not Outcome.PASSED:
                name = f"{check.id} ({check.outcome})"
                self.not_passed[name] += 1
                self.seeds.setdefault(name, []).append(report.run.seed)

    def to_json(self) -> dict[str, Any]:
        """For the record."""
        scores = {str(score): count for score, count in sorted(self.scores.items())}
        return {"scores": scores, "not_passed": self.not_passed, "seeds": self.seeds, "cpu_s": self.cpu_s}


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repeat")
    parser.add_argument("submission", type=Path, nargs="?")
    parser.add_argument("--task", default=TASK)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--jobs", "-j", type=int, default=1)
    parser.add_argument("--styles", action="store_true")
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "bench" / "repeat.json")
    options = parser.parse_args(arguments)
    try:
        tallies = dict(_repeat(options))
    except GraderError as error:
        print(f"repeat: {error}", file=sys.stderr)
        return error.exit_code
    record = {name: tally.to_json() for name, tally in tallies.items()}
    write_text(options.output, json.dumps(record, indent=2) + "\n")
    same = all(len(tally.scores) == 1 for tally in tallies.values())
    print("all the same" if same else "NOT all the same")
    return 0 if same else 1


def _repeat(options: argparse.Namespace) -> Iterator[tuple[str, Tally]]:
    request = Request(tasks=load_tasks(Settings().tasks_dir, [options.task]), settings=Settings())
    for name, path in _solutions(options):
        tally = Tally()

        def once(number: int, path: Path = path) -> Report:
            graded = grade(path, Request(tasks=request.tasks, settings=request.settings, slot=number))
            if graded.error is not None:
                raise graded.error
            return graded.report

        with ThreadPoolExecutor(max_workers=options.jobs) as pool:
            for number, report in enumerate(pool.map(once, range(options.times)), start=1):
                tally.add(report)
                print(f"{name} {number:3} of {options.times}: {report.score.percent:g} %", file=sys.stderr, flush=True)
        mean = sum(tally.cpu_s) / len(tally.cpu_s)
        print(f"{name}: {options.times} gradings, percent: {dict(sorted(tally.scores.items()))}, {mean:.1f} CPU s each")
        for check, count in tally.not_passed.most_common():
            print(f"  {check} did not pass {count} times, with the seeds {tally.seeds[check][:3]}")
        yield name, tally


def _solutions(options: argparse.Namespace) -> list[tuple[str, Path]]:
    if options.submission:
        return [(options.submission.name, options.submission)]
    kinds = ("reference", "style") if options.styles else ("reference",)
    cases = find_cases(options.task, ROOT / "reference", ROOT / "candidates")
    return [(case.name, case.path) for case in cases if case.kind in kinds]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
