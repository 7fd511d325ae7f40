"""Stored results for tests of reviews: a code task with uneven checks, and written answers beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.model import (
    Criterion,
    Evidence,
    Json,
    Outcome,
    Score,
    ScoredPoint,
    ScoredQuestion,
    SecondOpinion,
    Task,
    TaskResult,
    TaskStatus,
    Text,
    Visibility,
)
from grader.reports.as_json import to_json, write_report
from grader.reports.reviewed import Place, in_effect
from grader.review.record import Override, read_review
from grader.review.results import find_results
from grader.review.table import COLUMNS, to_rows
from grader.scoring import score_report
from tests.samples import RUN, SUBMISSION, TASK, check, result

AT = "2025-01-31T12:00:00+00:00"
SHA256 = SUBMISSION.sha256
WRITTEN = Task(
    id="written", version="1", title=Text(en="Written answers", zh="书面问答题"), root="tasks/written", kind="written",
    limits=TASK.limits, criteria=tuple(Criterion(id=name, title=Text(en=name), points=4.0) for name in ("q01", "q02")),
)  # fmt: skip
THIRDS = replace(TASK, criteria=(Criterion(id="contract", title=Text(en="Contract"), points=10.0),))


def point(name: str, earned: float, verdict: str, quote: str = "") -> ScoredPoint:
    """A point of two, with a quote of the answer and a language model that disagrees."""
    return ScoredPoint(
        id=name, title=Text(en=f"title of {name}", zh=f"{name}的标题"), score=Score(earned=earned, possible=2.0),
        verdict=verdict, confidence=0.5, evidence=(Evidence(quote=quote, start=0, end=len(quote)),) if quote else (),
        rationale="1 of 2 parts found", llm=SecondOpinion(verdict="unmet", reason="it is not there"),
    )  # fmt: skip


def questions(quote: str = "clip the norm") -> tuple[ScoredQuestion, ...]:
    """q01 is sure of itself, q02 wants a person."""
    return (
        ScoredQuestion(
            id="q01", language="en", score=Score(earned=2.0, possible=4.0),
            points=(point("why", 2.0, "met", quote), point("how", 0.0, "unmet")),
        ),
        ScoredQuestion(
            id="q02", language="zh", score=Score(earned=1.0, possible=4.0), flags=("stuffed",), needs_review=True,
            points=(point("why", 1.0, "partial", quote), point("cost", 0.0, "unmet")),
        ),
    )  # fmt: skip


def record(quote: str = "clip the norm") -> Json:
    """A report of three checks of 10/3 points, one hidden and failed, and two written answers."""
    checks = (
        check("shape", points=10 / 3, visibility=Visibility.PUBLIC),
        check("dtype", points=10 / 3),
        check("mask", points=10 / 3, outcome=Outcome.FAILED, message="differs by 0.5"),
    )
    written = TaskResult(task=WRITTEN, status=TaskStatus.GRADED, questions=questions(quote))
    return to_json(score_report(SUBMISSION, [result(*checks, task=THIRDS), written], RUN))


def store(out: Path, name: str = "alice", quote: str = "clip the norm", sha256: str = SHA256) -> Path:
    """Writes the report to `out/<name>/report.json` and gives its path."""
    from grader.reports.as_json import from_json

    stored = from_json(record(quote))
    stored = replace(stored, submission=replace(stored.submission, id=name, sha256=sha256))
    path = out / name / "report.json"
    write_report(stored, path)
    return path


def override(place: Place, points: float, **changed: Any) -> Override:
    """An override by Bo Li of a place of `record`."""
    possible = 3.33 if not place.question else 2.0
    usual = Override(
        place=place, points=points, possible=possible, machine=0.0, reason="said it aloud", reviewer="Bo Li", at=AT,
        submission_sha256=SHA256,
    )  # fmt: skip
    return replace(usual, **changed)


def of_point(question: str, item: str) -> Place:
    """A place of the written task."""
    return Place(task="written", question=question, item=item)


def of_check(item: str) -> Place:
    """A place of the code task."""
    return Place(task="toy", item=item)


def entries(path: Path, submission: str = "alice") -> list[Json]:
    """What review.json beside a report holds."""
    rows: list[Json] = read_review(path.with_name("review.json"), submission)["overrides"]
    return rows


def given(path: Path, submission: str = "alice") -> dict[str, float]:
    """The points in effect by place."""
    review = read_review(path.with_name("review.json"), submission)
    return {str(place): row["points"] for place, row in in_effect(review).items()}


def table(out: Path, fill: Mapping[str, tuple[str, str]]) -> list[dict[str, str]]:
    """The rows of an export, with human points and reason filled in by `submission/place`."""
    rows = to_rows(find_results(out))
    for row in rows:
        name = "/".join(filter(None, (row["submission"], row["task"], row["question"], row["point"])))
        if name in fill:
            row["human_points"], row["reason"] = fill[name]
    return rows


def csv_of(rows: list[dict[str, str]], columns: tuple[str, ...] = COLUMNS) -> str:
    """Those columns of the rows, as anybody would write them."""
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
