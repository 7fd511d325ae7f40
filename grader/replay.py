"""Grades a submission again as a stored report says it was graded, and tells what comes out differently.

Same seed, same tasks, same limits, same image. What may differ all the same: times near a limit, and a candidate's own
randomness that the seed does not reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from grader.config import Settings
from grader.errors import GraderError, UsageError
from grader.model import Report, ReportStatus, ScoredTask, Task, TaskStatus
from grader.pipeline import OnCheck, Request, grade
from grader.reports.as_json import read_report
from grader.submission import load_submission
from grader.task import load_tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of it: differences make it another result, changes say why that may be."""

    report: Report
    differences: tuple[str, ...]
    changes: tuple[str, ...]
    """What is not as it was before anything ran: the submission, a task, a version."""
    error: GraderError | None = None


def replay(stored: Path, submission: Path, settings: Settings, on_check: OnCheck | None = None) -> Replay:
    """Grades `submission` again. Raises UsageError for a report that cannot be replayed, SandboxUnavailable."""
    before = read_report(stored)
    if before.status is ReportStatus.REJECTED:
        raise UsageError(f"{stored}: intake refused this submission; there is nothing to replay")
    if before.run.backend != settings.backend:
        message = f"the report was graded with the backend {before.run.backend}, not {settings.backend}"
        raise UsageError(message, hint=f"--backend {before.run.backend}")
    tasks = load_tasks(settings.tasks_dir, [task.id for task in before.tasks])
    changes = tuple(_changes(before, tasks, submission))
    limited = {task.id: replace(tasks[task.id], limits=task.limits) for task in before.tasks}
    graded = grade(submission, Request(tasks=limited, settings=_as_before(before, settings)), on_check)
    after = graded.report
    lines = (*changes, *_versions(before, after))
    return Replay(report=after, differences=tuple(_differences(before, after)), changes=lines, error=graded.error)


def _as_before(report: Report, settings: Settings) -> Settings:
    """The settings with the report's seed and image; limits are those of the tasks."""
    image = report.run.image.rpartition("@")[2] or None
    return replace(
        settings, seed=report.run.seed, image=settings.image or image, memory_mb=None, cpus=None, llm_base_url=None,
        llm_model=None,
    )  # fmt: skip


def _changes(report: Report, tasks: dict[str, Task], path: Path) -> Iterator[str]:
    """The inputs that are not those of the report."""
    submission = load_submission(path, [task.id for task in tasks.values() if task.kind == "code"])
    if submission.sha256 != report.submission.sha256:
        yield f"the submission is another one: sha256 {submission.sha256[:12]}, was {report.submission.sha256[:12]}"
    for task in report.tasks:
        now = tasks[task.id]
        if now.sha256 != task.sha256:
            both = "its version was not" if task.version == now.version else f"{task.version} then, {now.version} now"
            yield f"{task.id}: the task was changed since ({both})"


def _versions(before: Report, after: Report) -> Iterator[str]:
    names = dict.fromkeys((*before.run.versions, *after.run.versions))
    for name in names:
        then, now = before.run.versions.get(name), after.run.versions.get(name)
        if then and now and then != now:  # what ran no code has no versions
            yield f"version of {name}: {then} then, {now} now"
    image = (before.run.image.rpartition("@")[2], after.run.image.rpartition("@")[2])
    if all(image) and image[0] != image[1]:
        yield f"image: {image[0]} then, {image[1]} now"


def _differences(before: Report, after: Report) -> Iterator[str]:
    """What of status, outcomes and points is not the same, from the smallest thing up."""
    again = {task.id: task for task in after.tasks}
    for task in before.tasks:
        yield from _task(task, again[task.id]) if task.id in again else (f"{task.id}: not graded again",)
    if before.status is not after.status:
        yield f"status: {before.status} then, {after.status} now"
    if before.score != after.score:
        yield f"score: {before.score.earned:g} then, {after.score.earned:g} now"


def _task(before: ScoredTask, after: ScoredTask) -> Iterator[str]:
    then, now = _lines(before), _lines(after)
    for name in dict.fromkeys((*then, *now)):
        if then.get(name) != now.get(name):
            yield f"{before.id}/{name}: {then.get(name, 'absent')} then, {now.get(name, 'absent')} now"
    if before.status is not after.status:
        reason = f" ({after.reason})" if after.status is TaskStatus.UNGRADED else ""
        yield f"{before.id}: {before.status} then, {after.status} now{reason}"


def _lines(task: ScoredTask) -> dict[str, str]:
    """Each check and point with what it came to."""
    checks = {check.id: f"{check.outcome} {check.score.earned:g}/{check.score.possible:g}" for check in task.checks}
    points = {
        f"{question.id}/{point.id}": f"{point.verdict} {point.score.earned:g}/{point.score.possible:g}"
        for question in task.questions
        for point in question.points
    }
    return checks | points
