"""Does a stored report still say what was graded? Its digest, its sums, the files beside it.

A digest shows that something was changed by accident or by hand; whoever knows how can make a new one, so that only a
signature (`grader.reports.signature`) shows that nobody did. The sums are added up with the grader's own scoring.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from grader.errors import TaskBroken
from grader.model import (
    Json,
    Outcome,
    Report,
    ReportStatus,
    Score,
    ScoredCheck,
    ScoredPoint,
    ScoredQuestion,
    ScoredTask,
    TaskStatus,
)
from grader.reports.as_json import digest_of, from_json
from grader.scoring import rescored, total_of

_TOLERANCE = 1e-9


def problems_of(record: Json, path: Path) -> list[str]:
    """What is not as it was graded, each on one line. Raises UsageError where the record is no interviewer's report."""
    report = from_json(record)
    return [*_digest(record), *_scores(record, report), *_files(report, path.parent)]


def notes_of(record: Json) -> list[str]:
    """What cannot be checked in this report."""
    artifacts = [row for task in record["tasks"] for row in task["artifacts"]]
    notes = [] if "digest" in record else ["it has no digest: an earlier version wrote it"]
    if any(not row.get("sha256") for row in artifacts):
        notes.append("its artifacts have no hashes: an earlier version wrote it")
    if record["status"] == ReportStatus.REJECTED:
        notes.append("intake refused the submission: there are no sums")
    return notes


def _digest(record: Json) -> Iterator[str]:
    if "digest" in record and record["digest"] != digest_of(record):
        yield "digest: the report was changed after it was written"


def _scores(record: Json, report: Report) -> Iterator[str]:
    """Every sum, from the checks and points upwards."""
    for row, task in zip(record["tasks"], report.tasks, strict=True):
        yield from _task(row, task)
    if report.status is ReportStatus.REJECTED:
        if report.tasks or report.score.earned:
            yield "status: a rejected submission earns nothing"
    else:
        ours = any(task.status is TaskStatus.UNGRADED for task in report.tasks)
        if report.status is not (ReportStatus.UNGRADED if ours else ReportStatus.GRADED):
            yield f"status: {report.status}, by its tasks {'ungraded' if ours else 'graded'}"
        yield from _same("score", report.score, total_of(report.tasks))
    yield from _percent("score", record["score"], report.score)


def _task(row: Json, task: ScoredTask) -> Iterator[str]:
    name = task.id
    for check in task.checks:
        yield from _check(f"{name}/{check.id}", check)
    for line, question in zip(row["questions"], task.questions, strict=True):
        yield from _question(f"{name}/{question.id}", line, question)
    try:
        right = rescored(task)
    except TaskBroken as error:
        yield error.message
        return
    if task.status is not right.status:
        yield f"{name}/status: {task.status}, by its checks {right.status}"
    if task.status is TaskStatus.MISSING and (task.checks or task.questions):
        yield f"{name}/status: missing, yet something was graded"
    if task.status is TaskStatus.GRADED and not task.checks and not task.questions:
        yield f"{name}/status: graded, yet nothing was"
    yield from _offers(task)
    for given, added in zip(task.criteria, right.criteria, strict=True):
        yield from _same(f"{name}/{given.id}", given.score, added.score)
    yield from _same(f"{name}/score", task.score, right.score)
    yield from _percent(f"{name}/score", row["score"], task.score)


def _offers(task: ScoredTask) -> Iterator[str]:
    """The checks of a graded task share out all of each criterion, but for the rounding of their shares."""
    if task.status is not TaskStatus.GRADED or not task.checks:
        return
    for row in task.criteria:
        shares = [check.score.possible for check in task.checks if check.criterion == row.id]
        if abs(sum(shares) - row.score.possible) > 0.005 * len(shares) + _TOLERANCE:
            yield f"{task.id}/{row.id}: its checks offer {sum(shares):g} of {row.score.possible:g} points"


def _check(name: str, check: ScoredCheck) -> Iterator[str]:
    """What an outcome allows: all for passed, a part for failed, else nothing."""
    score = check.score
    most = score.possible if check.outcome in (Outcome.PASSED, Outcome.FAILED) else 0.0
    least = score.possible if check.outcome is Outcome.PASSED else 0.0
    if not least - _TOLERANCE <= score.earned <= most + _TOLERANCE:
        yield f"{name}: {check.outcome} cannot earn {score.earned:g} of {score.possible:g} points"


def _question(name: str, row: Json, question: ScoredQuestion) -> Iterator[str]:
    for point in question.points:
        yield from _point(f"{name}/{point.id}", point, question.answer)
    earned = round(sum(point.score.earned for point in question.points), 2)
    possible = round(sum(point.score.possible for point in question.points), 2)
    yield from _same(f"{name}/score", question.score, Score(earned=earned, possible=possible))
    yield from _percent(f"{name}/score", row["score"], question.score)


def _point(name: str, point: ScoredPoint, answer: str) -> Iterator[str]:
    if point.score.earned > point.score.possible + _TOLERANCE:
        yield f"{name}: {point.score.earned:g} of {point.score.possible:g} points"
    evidence = (*point.evidence, *(point.llm.evidence if point.llm else ()))
    within = [row for row in evidence if row.end <= len(answer)]  # a language model reads more than the report keeps
    if any(answer[row.start : row.end] != row.quote for row in within):
        yield f"{name}: a quote is not in the answer where it should be"


def _same(name: str, given: Score, added: Score) -> Iterator[str]:
    for what, left, right in (("earned", given.earned, added.earned), ("possible", given.possible, added.possible)):
        if abs(left - right) > _TOLERANCE:
            yield f"{name}: {what} is {left:g}, added up {right:g}"


def _percent(name: str, row: Json, score: Score) -> Iterator[str]:
    if abs(row["percent"] - score.percent) > _TOLERANCE:
        yield f"{name}: percent is {row['percent']:g}, should be {score.percent:g}"


def _files(report: Report, folder: Path) -> Iterator[str]:
    """The artifacts that have a hash; a path that leads out of the folder is not followed."""
    for task in report.tasks:
        for row in task.artifacts:
            if not row.sha256:
                continue
            path = folder / row.path
            if not path.resolve().is_relative_to(folder.resolve()):
                yield f"{row.path}: leads out of the report's folder"
            elif not path.is_file():
                yield f"{row.path}: is not there"
            elif sha256(path.read_bytes()).hexdigest() != row.sha256:
                yield f"{row.path}: was changed after it was written"
