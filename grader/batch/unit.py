"""One task of one submission: what a runner is given to do, on whatever machine it does it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from grader.judge.crew import Crews
from grader.judge.launch import Start
from grader.judge.starting import StartedJudge
from grader.model import CheckResult, Run, Submission, Task
from grader.pipeline import Judged, Request, judge_task
from grader.runners.protocol import Context, Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A job. It holds everything that it needs, so that it can be sent to another process."""

    task: Task
    submission: Submission
    request: Request
    run: Run
    """With an id of its own: the label of the unit's sandboxes."""
    key: str
    """Of the result."""
    number: int = 1
    """Which attempt it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """Told on the way: a language model has marked one more point."""

    question: str
    point: str


def grade_unit(unit: Unit, context: Context, start: Start = StartedJudge, crews: Crews | None = None) -> Judged:
    """Grades it in a slot, telling of each `CheckResult` and `Opinion`. Raises SandboxUnavailable."""
    request = replace(
        placed(unit, context.slot),
        start=start,
        crews=crews,
        on_opinion=lambda question, point: context.tell(Opinion(question=question, point=point)),
        on_note=context.tell,
        cancelled=context.cancelled,
    )

    def on_check(_task: str, check: CheckResult) -> None:
        context.tell(check)

    return judge_task(unit.task, unit.submission, request, unit.run, on_check)


def placed(unit: Unit, slot: Slot) -> Request:
    """The unit's request with what the slot has for it."""
    settings = replace(unit.request.settings, gpus=slot.gpus)
    return replace(unit.request, settings=settings, slot=slot.number, cores=slot.cores)
