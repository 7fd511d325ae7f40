"""Grades the reference again and again: every score must be the same, whatever the secret seed.

    python -m benchmarks.repeat [--times 50] [SUBMISSION]

Each grading draws a seed of its own, as in real use. Prints the set of scores and, where a check did not always pass,
how often; exit status 0 where all scores are the same, 1 where not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import REFERENCE, ROOT, TASK
from grader.atomic import write_text
from grader.config import Settings
from grader.errors import GraderError
from grader.model import Outcome
from grader.pipeline import Request, grade
from grader.task import load_tasks


@dataclass
class Tally:
    """How often each score came, and how often each check did not pass."""

    scores: Counter[float] = field(default_factory=Counter)
    not_passed: Counter[str] = field(default_factory=Counter)
    seeds: dict[str, list[int]] = field(default_factory=dict)
    """For each check that did not pass: the seeds, with which `grader grade --seed` repeats it."""


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repeat")
    parser.add_argument("submission", type=Path, nargs="?", default=REFERENCE)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "bench" / "repeat.json")
    options = parser.parse_args(arguments)
    try:
        tally = _repeat(options.submission, options.times)
    except GraderError as error:
        print(f"repeat: {error}", file=sys.stderr)
        return error.exit_code
    _write(tally, options.output)
    print(f"{options.times} gradings, scores in percent: {dict(sorted(tally.scores.items()))}")
    for name, count in tally.not_passed.most_common():
        print(f"  {name} did not pass {count} times, with the seeds {tally.seeds[name][:3]}")
    print("all the same" if len(tally.scores) == 1 else "NOT all the same")
    return 0 if len(tally.scores) == 1 else 1


def _repeat(submission: Path, times: int) -> Tally:
    request = Request(tasks=load_tasks(Settings().tasks_dir, [TASK]), settings=Settings())
    tally = Tally()
    for number in range(1, times + 1):
        graded = grade(submission, request)
        if graded.error is not None:
            raise graded.error
        report = graded.report
        tally.scores[report.score.percent] += 1
        for check in report.tasks[0].checks:
            if check.outcome is not Outcome.PASSED:
                tally.not_passed[f"{check.id} ({check.outcome})"] += 1
                tally.seeds.setdefault(f"{check.id} ({check.outcome})", []).append(report.run.seed)
        print(f"{number:3} of {times}: {report.score.percent:g} %", file=sys.stderr, flush=True)
    return tally


def _write(tally: Tally, target: Path) -> None:
    scores = {str(score): count for score, count in sorted(tally.scores.items())}
    record = {"scores": scores, "not_passed": dict(tally.not_passed), "seeds": tally.seeds}
    write_text(target, json.dumps(record, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
