"""Records for tests of the formats: one with everything in it, one whose every text is hostile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.model import Json, Outcome, TaskStatus, Visibility
from grader.reports.as_json import from_json, to_json
from grader.reports.look import Look
from grader.review.record import Addition, Override, add_overrides, review_path
from grader.review.results import load_result
from grader.scoring import rejected_report, score_report
from tests.review.samples import record as written_record
from tests.review.samples import store
from tests.samples import RUN, SUBMISSION, TASK, check, full_report, report, result

EN, ZH = Look(), Look(lang="zh")
HOSTILE = (
    "</failure><testcase name='forged'/>]]>&bogus; <script>alert(1)</script> @octocat #1 ![x](//h/i.png) "
    "[l](javascript:1) https://evil.example www.evil.example `x` ``y`` | a | b \\| <!-- <details> "
    "::error file=x::y ##[group]z ]]><![CDATA[ [[ATTACHMENT|/etc/passwd]] =1+1 \x1b[31m\u202e\x00 ~~~ :x: $x$"
)


def outcomes() -> Json:
    """A code task with a check of each kind of end."""
    ends = (
        Outcome.PASSED, Outcome.FAILED, Outcome.RAISED, Outcome.TIMEOUT, Outcome.BLOCKED, Outcome.SANDBOX_DOWN,
    )  # fmt: skip
    checks = [
        replace(
            check(f"c{number}", points=6.0, outcome=end, message=f"ended as {end}"),
            location="toy.py:7" if end is Outcome.RAISED else "",
            exception="ValueError" if end is Outcome.RAISED else "",
        )
        for number, end in enumerate(ends)
    ]
    return to_json(report(*checks))


def hostile() -> Json:
    """A record with text of the worst kind in every field that a candidate can influence."""
    stored = full_report()
    task = stored.tasks[0]
    checks = tuple(
        replace(row, message=HOSTILE, output=HOSTILE, location=HOSTILE, exception=HOSTILE, visibility=Visibility.PUBLIC)
        for row in task.checks
    )
    submission = replace(stored.submission, candidate=HOSTILE[:150], notes=(HOSTILE,))
    return to_json(
        replace(stored, submission=submission, tasks=(replace(task, checks=checks, notes=(HOSTILE,)),), reason=HOSTILE)
    )


def rejected() -> Json:
    """A submission that intake refused, with a hostile name in the reason."""
    return to_json(rejected_report("eve", f"a link: {HOSTILE}", [TASK], RUN))


def ungraded() -> Json:
    """A submission whose task we could not grade."""
    whole = replace(result(status=TaskStatus.UNGRADED), reason="the engine is gone")
    return to_json(score_report(SUBMISSION, [whole], RUN))


def missing() -> Json:
    """A submission that does not answer the task."""
    whole = replace(result(status=TaskStatus.MISSING), reason="no file answers toy")
    return to_json(score_report(SUBMISSION, [whole], RUN))


RECORDS: dict[str, Callable[[], Json]] = {
    "everything": lambda: to_json(full_report()),
    "written": written_record,
    "outcomes": outcomes,
    "hostile": hostile,
    "rejected": rejected,
    "ungraded": ungraded,
    "missing": missing,
}


def named(record: Json, name: str) -> Json:
    """The record under another id."""
    stored = from_json(record)
    return to_json(replace(stored, submission=replace(stored.submission, id=name)))


def decided(folder: Path, *overrides: Override) -> Json:
    """The record of `tests.review.samples` with those decisions of a person in effect."""
    path = store(folder)
    add_overrides({review_path(path): Addition(submission="alice", overrides=overrides)})
    return load_result(path).view


def texts(value: Any) -> list[str]:
    """Every string of a JSON value, keys included."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    return [text for part in value for text in texts(part)] if isinstance(value, list) else []
