"""Points from outcomes: a pure function of the tasks' criteria and the results of the checks.

No clock, no disk, no randomness; the same results always give the same report. Points are rounded to hundredths
once, at the check, so that what a reader adds up is what the report says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from grader import __version__
from grader.errors import TaskBroken
from grader.model import (
    Artifact,
    ArtifactFile,
    CheckResult,
    CheckSpec,
    Criterion,
    Json,
    Outcome,
    Report,
    ReportStatus,
    Run,
    SandboxFacts,
    Score,
    ScoredCheck,
    ScoredCriterion,
    ScoredQuestion,
    ScoredTask,
    Submission,
    SubmissionInfo,
    Task,
    TaskResult,
    TaskStatus,
)


def score_task(result: TaskResult) -> ScoredTask:
    """The points of one task. `task.criteria` says what is possible, whatever checks ran.

    A missing task earns 0. A task with an outcome of ours is ungraded: it earns 0 and must not be counted.
    Raises TaskBroken where a check belongs to no criterion, or checks offer more than their criterion has.
    """
    task, status = result.task, _status(result)
    checks = tuple(_score_check(check) for check in result.checks)
    if task.kind == "written":
        criteria = tuple(_score_question(criterion, result.questions) for criterion in task.criteria)
    else:
        criteria = tuple(_score_criterion(task, criterion, checks, status) for criterion in task.criteria)
    _check_membership(task, result.checks)
    score = _total(criterion.score for criterion in criteria)
    return ScoredTask(
        id=task.id,
        version=task.version,
        title=task.title,
        sha256=task.sha256,
        status=status,
        score=score,
        limits=task.limits,
        resources=result.resources,
        reason=result.reason or _our_fault(result.checks),
        criteria=criteria,
        checks=checks,
        questions=tuple(result.questions),
        diagnosis=result.diagnosis if score.earned < score.possible else (),
        artifacts=tuple(
            Artifact(name=file.name, media_type=file.media_type, path=artifact_path(task.id, file))
            for file in result.artifacts
        ),
        notes=result.notes,
    )


def rescored(task: ScoredTask) -> ScoredTask:
    """The task with scores added up anew from its checks or answers, as `score_task` does it.

    Raises TaskBroken where that cannot be: a check of no criterion, or checks that offer more than their criterion.
    """
    rubric = tuple(Criterion(id=row.id, title=row.title, points=row.score.possible) for row in task.criteria)
    lines = Task(id=task.id, version=task.version, title=task.title, root="", criteria=rubric, limits=task.limits)
    status = TaskStatus.UNGRADED if any(check.outcome.ours for check in task.checks) else task.status
    known = {row.id for row in rubric} if status is TaskStatus.GRADED else {check.criterion for check in task.checks}
    if stray := next((check for check in task.checks if check.criterion not in known), None):
        raise TaskBroken(f"task {task.id}: check {stray.id!r} names the criterion {stray.criterion!r}")
    questions = tuple(
        replace(row, score=Score(earned=_rounded(p.score.earned for p in row.points), possible=row.score.possible))
        for row in task.questions
    )
    if questions:
        criteria = tuple(_score_question(row, questions) for row in rubric)
    else:
        criteria = tuple(_score_criterion(lines, row, task.checks, status) for row in rubric)
    total = _total(row.score for row in criteria)
    return replace(task, status=status, criteria=criteria, questions=questions, score=total)


def total_of(tasks: Iterable[ScoredTask]) -> Score:
    """The score of a report over those tasks."""
    return _total(task.score for task in tasks)


def artifact_path(task_id: str, file: ArtifactFile) -> str:
    """Where an artifact lies, relative to the folder of all artifacts of its report."""
    return f"{task_id}/{file.name}{file.suffix}"


def score_report(submission: Submission, results: Sequence[TaskResult], run: Run) -> Report:
    """The report of a submission. `run` says what was asked; what the sandboxes attest is merged into it.

    The report is ungraded where a task is: its score is then what is known so far, not a verdict.
    """
    tasks = tuple(score_task(result) for result in results)
    ungraded = [task for task in tasks if task.status is TaskStatus.UNGRADED]
    return Report(
        grader_version=__version__,
        submission=SubmissionInfo(
            id=submission.id, candidate=submission.candidate, sha256=submission.sha256, notes=submission.notes
        ),
        status=ReportStatus.UNGRADED if ungraded else ReportStatus.GRADED,
        score=_total(task.score for task in tasks),
        run=_attested(run, results),
        tasks=tasks,
        reason="; ".join(f"{task.id}: {task.reason}" for task in ungraded),
    )


def rejected_report(submission_id: str, reason: str, tasks: Iterable[Task], run: Run) -> Report:
    """The report of a submission that intake refused: 0 of all the points of `tasks`."""
    return Report(
        grader_version=__version__,
        submission=SubmissionInfo(id=submission_id, candidate=submission_id),
        status=ReportStatus.REJECTED,
        score=Score(earned=0.0, possible=_rounded(task.possible for task in tasks)),
        run=run,
        reason=reason,
    )


def restricted_to(task: Task, specs: Iterable[CheckSpec]) -> Task:
    """The task with the points of `specs` alone: what the self-check, which has no hidden checks, is out of."""
    points: dict[str, list[float]] = {}
    for spec in specs:
        points.setdefault(spec.criterion, []).append(spec.points)
    criteria: list[Criterion] = [
        replace(criterion, points=_rounded(points[criterion.id]))
        for criterion in task.criteria
        if criterion.id in points
    ]
    return replace(task, criteria=tuple(criteria))


def _status(result: TaskResult) -> TaskStatus:
    """Ungraded as soon as one check ended by our fault."""
    ours = any(check.outcome.ours for check in result.checks)
    return TaskStatus.UNGRADED if ours else result.status


def _our_fault(checks: Sequence[CheckResult]) -> str:
    """The first fault of ours among the checks, for a reader who asks why nothing was graded."""
    return next((f"{check.spec.id}: {check.message or check.outcome}" for check in checks if check.outcome.ours), "")


def _score_check(check: CheckResult) -> ScoredCheck:
    spec = check.spec
    earned = round(spec.points * _fraction(check), 2)
    return ScoredCheck(
        id=spec.id,
        criterion=spec.criterion,
        title=spec.title,
        hint=spec.hint,
        visibility=spec.visibility,
        outcome=check.outcome,
        score=Score(earned=earned, possible=round(spec.points, 2)),
        message=check.message,
        location=check.location,
        exception=check.exception,
        memory=check.memory,
        output=check.output,
        duration_s=check.duration_s,
        cpu_s=check.cpu_s,
    )


def _fraction(check: CheckResult) -> float:
    """The share of a check's points. Only a failed check can have part of them: nothing else was a wrong answer."""
    if check.outcome is Outcome.PASSED:
        return 1.0
    if check.outcome is not Outcome.FAILED or not math.isfinite(check.fraction):
        return 0.0
    return min(max(check.fraction, 0.0), 1.0)


def _score_criterion(
    task: Task, criterion: Criterion, checks: Iterable[ScoredCheck], status: TaskStatus
) -> ScoredCriterion:
    """What the checks of one criterion earned; nothing unless the task was graded."""
    mine = [check.score for check in checks if check.criterion == criterion.id]
    possible = round(criterion.points, 2)
    offered = _rounded(score.possible for score in mine)
    # Shares like 10/3 are rounded one by one, which moves their sum by up to half a hundredth each.
    slack = 0.005 * len(mine) + 1e-9
    if offered > possible + slack:
        message = f"task {task.id}: the checks of criterion {criterion.id!r} offer {offered:g} of {possible:g} points"
        raise TaskBroken(message, hint="make the points of the checks add up to those in task.toml")
    earned = _rounded(score.earned for score in mine) if status is TaskStatus.GRADED else 0.0
    if earned == offered and offered > possible - slack and status is TaskStatus.GRADED:
        earned = possible  # all of it: three passed checks of 10/3 are 10 points, not 9.99
    return ScoredCriterion(
        id=criterion.id, title=criterion.title, score=Score(earned=min(earned, possible), possible=possible)
    )


def _score_question(criterion: Criterion, questions: Iterable[ScoredQuestion]) -> ScoredCriterion:
    """The points of one written question; 0 where it was not graded."""
    score = next((question.score for question in questions if question.id == criterion.id), None)
    possible = round(criterion.points, 2)
    earned = min(score.earned, possible) if score else 0.0
    return ScoredCriterion(id=criterion.id, title=criterion.title, score=Score(earned=earned, possible=possible))


def _check_membership(task: Task, checks: Iterable[CheckResult]) -> None:
    """Raises TaskBroken for a check whose criterion task.toml does not have: its points would vanish."""
    known = {criterion.id for criterion in task.criteria}
    for check in checks:
        if check.spec.criterion not in known:
            message = f"task {task.id}: check {check.spec.id!r} names the criterion {check.spec.criterion!r}"
            raise TaskBroken(message, hint="known criteria: " + ", ".join(sorted(known)))


def _attested(run: Run, results: Iterable[TaskResult]) -> Run:
    """`run` with what the sandboxes say; isolated only if every one of them was."""
    by_task = {result.task.id: result.facts for result in results if result.facts is not None}
    if not by_task:
        return run
    facts: list[SandboxFacts] = list(by_task.values())
    return replace(
        run,
        isolated=all(fact.isolated for fact in facts),
        image=next((fact.image for fact in facts if fact.image), run.image),
        attestation={task_id: fact.attestation for task_id, fact in by_task.items()},
        gpu=_gpus(by_task) or run.gpu,
        versions=run.versions | {name: version for fact in facts for name, version in fact.versions.items()},
    )


def _gpus(by_task: Mapping[str, SandboxFacts]) -> Json | None:
    """The devices of all tasks, and what each task had; None where no GPU was asked for."""
    asked = {task_id: fact.gpu for task_id, fact in by_task.items() if fact.gpu is not None}
    devices: list[Any] = []
    for gpu in asked.values():
        devices += [device for device in gpu["devices"] if device not in devices]
    return {"devices": devices, "tasks": asked} if asked else None


def _total(scores: Iterable[Score]) -> Score:
    listed = list(scores)
    return Score(
        earned=_rounded(score.earned for score in listed), possible=_rounded(score.possible for score in listed)
    )


def _rounded(numbers: Iterable[float]) -> float:
    """A sum in hundredths; `fsum`, so that the order of the checks does not matter."""
    return round(math.fsum(numbers), 2)
