"""Runs the judges of a job and collects what they report.

A judge is a process of ours, so one that dies or overruns its time is our failure, never the candidate's: the task
is ungraded.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from grader.errors import SandboxUnavailable, Ungraded
from grader.judge.crew import Crew, Crews, OnCheck
from grader.judge.job import Job
from grader.judge.parts import Part
from grader.judge.starting import StartedJudge
from grader.model import CheckResult, TaskResult
from grader.sandbox import backend

GRACE_S: Final = 360.0
LOOK_S: Final = 1.0
"""An interrupt is noticed between two looks."""
IDLE_LOOK_S: Final = 0.05
"""So is something to do."""

Start = Callable[[Job], StartedJudge]
"""Gives a judge that has the job: a new one, or one that was started ahead of need."""


def run_judge(
    job: Job,
    on_check: OnCheck | None = None,
    cancelled: threading.Event | None = None,
    start: Start = StartedJudge,
    crews: Crews | None = None,
) -> TaskResult:
    """Grades one task; stops soon after `cancelled` is set. By way of `crews` others may `help`.

    `on_check` is called from the thread of whoever ran the check. Raises TaskBroken, SandboxUnavailable (and its kinds)
    and Ungraded.
    """
    started, crew = time.monotonic(), Crew(job, on_check)
    with _left_clean(job), (crews or Crews()).gathered(crew), contextlib.closing(start(job)) as judge:
        _serve(judge, crew, crew.first, cancelled or threading.Event())
        return crew.result(time.monotonic() - started)


def help_judge(crew: Crew, job: Job, cancelled: threading.Event, start: Start = StartedJudge) -> None:
    """Runs a part of a task's checks with one more judge, which `job` is for; gives up once the crew needs it no more.

    Raises what went wrong here; the crew does without.
    """
    part = Part()
    try:
        with _left_clean(job), contextlib.closing(start(job)) as judge:
            _serve(judge, crew, part, cancelled)
    finally:
        crew.leave(part)
    if part.error is not None:
        raise part.error


@contextlib.contextmanager
def _left_clean(job: Job) -> Iterator[None]:
    """A judge removes its container before it says its last word; one that did not come so far leaves that to us.

    What a whole harness that was killed left is removed when the next sandbox starts; asking the engine from here as
    well, after each grading, would load its client for that alone (0.13 s).
    """
    try:
        yield
    except BaseException:
        with contextlib.suppress(SandboxUnavailable):  # an engine that is gone holds nothing that we could remove
            backend(job.backend).reap(job.run_id)
        raise


def _serve(judge: StartedJudge, crew: Crew, part: Part, cancelled: threading.Event) -> None:
    """Gives a judge one group after the other, and collects its part until it has said all. Raises Ungraded."""
    limits = crew.job.task.limits
    judge.go()
    _collect(judge, crew, part, time.monotonic() + limits.task_wall_s + GRACE_S, cancelled)
    judge.end()
    if not part.final and not crew.over.is_set():
        raise Ungraded(f"the judge of task {crew.job.task.id} ended early: {judge.tail()}", hint="run it again")


def _collect(judge: StartedJudge, crew: Crew, part: Part, deadline: float, cancelled: threading.Event) -> None:
    buffer = bytearray()
    while time.monotonic() < deadline:
        if cancelled.is_set():
            raise Ungraded("interrupted")
        if crew.over.is_set():
            return
        if part.idle:
            _occupy(judge, crew, part)
        if not select.select([judge.events], [], [], IDLE_LOOK_S if part.idle else LOOK_S)[0]:
            if judge.process.poll() is not None:
                return
            continue
        data = os.read(judge.events, 1024**2)
        if not data:
            return
        buffer += data
        *lines, rest = bytes(buffer).split(b"\n")
        buffer = bytearray(rest)
        for line in lines:
            _take(line, crew, part)
    raise Ungraded("the judge overran its time", hint="the engine or the machine may be overloaded; run it again")


def _take(line: bytes, crew: Crew, part: Part) -> None:
    told = part.take(line)
    if isinstance(told, CheckResult):
        crew.told(told)
    elif told is not None:
        crew.announce(told)


def _occupy(judge: StartedJudge, crew: Crew, part: Part) -> None:
    """Gives a judge that has nothing to do its next group, or lets it go."""
    number = crew.turn(part)
    if number is not None:
        judge.turn(number)
    elif crew.is_done(part):
        part.idle = False
        judge.no_more()
