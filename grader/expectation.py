"""What a sample or a mutant must get, and where a report differs from it."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import TaskBroken
from grader.model import Json, Outcome, Report, ReportStatus, Score, ScoredTask
from grader.schemas import violation

FULL = (100.0, 100.0)
ANY = (0.0, 100.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExpectation:
    """One task's part: the range in percent, criteria that lose or keep all points, checks that must not pass, and
    slips that must be named. Of written answers also the range over what is answered, and flags that must be there.
    """

    status: str = "graded"
    percent: tuple[float, float] = ANY
    loses: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    fails: tuple[str, ...] = ()
    diagnosis: tuple[str, ...] = ()
    answered: tuple[float, float] | None = None
    """Percent of the answered questions' points: how good the answers are, however many."""
    flags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """By question id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """A whole submission's."""

    status: str = "graded"
    reason: str = ""
    tasks: dict[str, TaskExpectation] = field(default_factory=dict)


def full_marks(task_id: str) -> Expectation:
    """For references and styles."""
    return Expectation(tasks={task_id: TaskExpectation(percent=FULL)})


def read_mutant(path: Path, task_id: str) -> tuple[str, Expectation]:
    """The base and the expectation of a mutant.toml. Raises TaskBroken."""
    table = _read(path, "mutant")
    return table.get("base", "reference"), Expectation(tasks={task_id: _task(table)})


def read_expected(path: Path) -> Expectation:
    """The expectation of a sample's expected.toml. Raises TaskBroken."""
    table = _read(path, "expected")
    tasks = {task_id: _task(row) for task_id, row in table.get("tasks", {}).items()}
    return Expectation(status=table["status"], reason=table.get("reason", ""), tasks=tasks)


def differences(expected: Expectation, report: Report) -> list[str]:
    """One line for each way in which `report` is not as expected; [] where it is."""
    if report.status != expected.status:
        return [f"status is {report.status}, expected {expected.status} {report.reason}".strip()]
    if report.status is ReportStatus.REJECTED:
        missing = expected.reason.lower() not in report.reason.lower()
        return [f"the reason {report.reason!r} does not say {expected.reason!r}"] if missing else []
    graded = {task.id: task for task in report.tasks}
    lines: list[str] = []
    for task_id, wanted in expected.tasks.items():
        lines += (
            _task_differences(wanted, graded[task_id]) if task_id in graded else [f"{task_id} is not in the report"]
        )
    return lines


def _task_differences(wanted: TaskExpectation, task: ScoredTask) -> list[str]:
    if task.status != wanted.status:
        return [f"{task.id} is {task.status}, expected {wanted.status}"]
    lines = []
    low, high = wanted.percent
    if not low <= task.score.percent <= high:
        failed = [f"{check.id} ({check.outcome})" for check in task.checks if check.outcome is not Outcome.PASSED]
        lines.append(f"{task.score.percent:g} % is outside {low:g}..{high:g} %; not passed: {', '.join(failed) or '-'}")
    full = {criterion.id: criterion.score.earned >= criterion.score.possible for criterion in task.criteria}
    passed = {check.id: check.outcome is Outcome.PASSED for check in task.checks}
    lines += _unknown(wanted.loses + wanted.keeps, full, "criterion") + _unknown(wanted.fails, passed, "check")
    lines += [f"criterion {name} should lose points" for name in wanted.loses if full.get(name)]
    lines += [f"criterion {name} should keep all points" for name in wanted.keeps if full.get(name) is False]
    lines += [f"check {name} should not pass" for name in wanted.fails if passed.get(name)]
    named = {row.id for row in task.diagnosis}
    lines += [f"the diagnosis should name {name}" for name in wanted.diagnosis if name not in named]
    return lines + _written_differences(wanted, task)


def _written_differences(wanted: TaskExpectation, task: ScoredTask) -> list[str]:
    questions = {question.id: question for question in task.questions}
    lines = _unknown(tuple(wanted.flags), dict.fromkeys(questions, True), "question")
    for name, flags in wanted.flags.items():
        seen = questions[name].flags if name in questions else flags
        lines += [
            f"{name} should be flagged {flag}, has {', '.join(seen) or 'none'}" for flag in flags if flag not in seen
        ]
    if wanted.answered is not None:
        low, high = wanted.answered
        share = answered_score(task).percent
        lines += [f"{share:g} % of the answered questions is outside {low:g}..{high:g} %"] * (not low <= share <= high)
    return lines


def answered_score(task: ScoredTask) -> Score:
    """The points of the questions that have an answer."""
    scores = [question.score for question in task.questions if "unanswered" not in question.flags]
    return Score(earned=sum(score.earned for score in scores), possible=sum(score.possible for score in scores))


def _unknown(names: Sequence[str], known: dict[str, bool], kind: str) -> list[str]:
    return [f"there is no {kind} {name}" for name in names if name not in known]


def _task(table: Json) -> TaskExpectation:
    low, high = table.get("percent", ANY)
    answered = table.get("answered")
    return TaskExpectation(
        status=table.get("status", "graded"),
        percent=(float(low), float(high)),
        loses=tuple(table.get("loses", ())),
        keeps=tuple(table.get("keeps", ())),
        fails=tuple(table.get("fails", ())),
        diagnosis=tuple(table.get("diagnosis", ())),
        answered=(float(answered[0]), float(answered[1])) if answered else None,
        flags={question: tuple(flags) for question, flags in table.get("flags", {}).items()},
    )


def _read(path: Path, schema: str) -> Json:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TaskBroken(f"cannot read {path}: {error}") from error
    if problem := violation(table, schema):
        raise TaskBroken(f"{path}: {problem}")
    return table
