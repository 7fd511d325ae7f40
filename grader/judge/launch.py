"""Runs a judge process for a job and collects what it reports.

The process is ours, so a judge that dies or overruns its time is our failure, never the candidate's: the task
is ungraded.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from grader import errors
from grader.errors import GraderError, Ungraded
from grader.judge.job import Job, artifact_from_json, check_from_json, diagnosis_from_json, facts_from_json
from grader.judge.starting import StartedJudge
from grader.model import ArtifactFile, CheckResult, Json, Resources, TaskResult, TaskStatus

GRACE_S: Final = 360.0

OnCheck = Callable[[CheckResult], None]

Start = Callable[[Job], StartedJudge]
"""Gives a judge that has the job: a new one, or one that was started ahead of need."""


def run_judge(
    job: Job,
    on_check: OnCheck | None = None,
    cancelled: threading.Event | None = None,
    start: Start = StartedJudge,
) -> TaskResult:
    """Grades one task; stops soon after `cancelled` is set.

    Raises TaskBroken, SandboxUnavailable (and its kinds) and Ungraded.
    """
    started, collected = time.monotonic(), _Collected(on_check)
    deadline = started + job.task.limits.task_wall_s + GRACE_S
    with contextlib.closing(start(job)) as judge:
        judge.go()
        _collect(judge, collected, deadline, cancelled or threading.Event())
        judge.end()
        if not collected.done:
            raise Ungraded(f"the judge of task {job.task.id} ended early: {judge.tail()}", hint="run it again")
    return _result(job, collected, time.monotonic() - started)


class _Collected:
    """The events of one judge."""

    def __init__(self, on_check: OnCheck | None) -> None:
        self._on_check = on_check
        self.checks: list[CheckResult] = []
        self.artifacts: list[ArtifactFile] = []
        self.error: GraderError | None = None
        self.final: Json = {}

    @property
    def done(self) -> bool:
        """True once the judge said its last word."""
        return bool(self.final)

    def take(self, line: bytes) -> None:
        """Takes one event."""
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "check":
            self.checks.append(check_from_json(event["check"]))
            if self._on_check:
                self._on_check(self.checks[-1])
        elif event["event"] == "artifact":
            self.artifacts.append(artifact_from_json(event["artifact"]))
        elif event["event"] == "error":
            kind = getattr(errors, event["kind"], Ungraded)
            self.error = kind(event["message"], hint=event["hint"])
        else:
            self.final = event


def _collect(judge: StartedJudge, collected: _Collected, deadline: float, cancelled: threading.Event) -> None:
    buffer = bytearray()
    while time.monotonic() < deadline:
        if cancelled.is_set():
            raise Ungraded("interrupted")
        if not select.select([judge.events], [], [], 1.0)[0]:
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
            collected.take(line)
    raise Ungraded("the judge overran its time", hint="the engine or the machine may be overloaded; run it again")


def _result(job: Job, collected: _Collected, wall_s: float) -> TaskResult:
    if collected.error is not None:
        raise collected.error
    broken = [check for check in collected.checks if check.outcome.ours]
    final = collected.final
    return TaskResult(
        task=job.task,
        status=TaskStatus.UNGRADED if broken else TaskStatus.GRADED,
        checks=tuple(collected.checks),
        resources=Resources(
            wall_s=round(wall_s, 3), cpu_s=round(final["cpu_s"], 3), max_rss_bytes=int(final["max_rss_bytes"])
        ),
        facts=facts_from_json(final["facts"]),
        reason=f"check {broken[0].spec.id}: {broken[0].message}" if broken else "",
        diagnosis=tuple(diagnosis_from_json(row) for row in final["diagnosis"]),
        artifacts=tuple(collected.artifacts),
        notes=tuple(final["notes"]),
    )
