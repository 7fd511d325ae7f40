"""What fault drills share: a submission that takes its time, a fault in the middle of its grading, and what follows."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from grader.errors import ExitCode, GraderError, SandboxUnavailable, TaskBroken, Ungraded
from grader.model import CheckResult, ReportStatus
from grader.pipeline import Graded, Request, grade
from grader.sandbox.container import connect
from grader.sandbox.profile import LABEL
from grader.task import load_tasks
from tests.attacks.arena import TASKS, containers, control, settings

SLEEPS = b"""
import time
from key import build, code as right, rows


def code(x):
    if x:
        time.sleep(6)
    return right(x)
"""
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount small disks and to kill as the host does")


def make_sleeper(into: Path) -> Path:
    """A submission that is right, and sleeps in its hidden checks: time for a fault."""
    folder = into / "sleeper"
    shutil.copytree(control("correct", into), folder)
    (folder / "vault.py").write_bytes(SLEEPS)
    return folder


def during(folder: Path, fault: Callable[[str], None], slot: int) -> tuple[Graded | GraderError, str]:
    """A grading in whose middle, after its first check, `fault` happens; told the run's id. What came of it."""
    begun, runs = threading.Event(), []

    def told(_: str, result: CheckResult) -> None:
        begun.set()

    request = Request(tasks=load_tasks(TASKS, ["vault"]), settings=settings(), slot=slot)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(grade, folder, request, told)
        wait_for(lambda: begun.is_set() or future.done(), 180)
        assert begun.is_set(), future.result()
        time.sleep(1.0)
        runs.append(run_of(slot))
        fault(runs[0])
        try:
            return future.result(240), runs[0]
        except GraderError as error:
            return error, runs[0]


def run_of(slot: int) -> str:
    """The run of the container under the user of a slot."""
    with contextlib.closing(connect()) as client:
        for row in client.api.containers(filters={"label": LABEL}):
            found = client.api.inspect_container(row["Id"])
            if found["Config"]["User"].startswith(f"{100_000 + slot}:"):
                return str(row["Labels"][LABEL])
    raise AssertionError("no container runs")


def is_ungraded(result: Graded | GraderError) -> None:
    """Our fault: no score that anybody could take for a verdict."""
    if isinstance(result, Graded):
        assert result.report.status is ReportStatus.UNGRADED
        assert isinstance(result.error, Ungraded | SandboxUnavailable | TaskBroken)
        outcomes = {str(check.outcome) for check in result.report.tasks[0].checks}
        assert outcomes <= {"passed", "sandbox_down"}, "nothing is the candidate's fault"
    else:
        assert result.exit_code in (ExitCode.SANDBOX_UNAVAILABLE, ExitCode.UNGRADED)


def next_is_fine(tmp_path: Path, slot: int, run_id: str) -> None:
    """The next run has full marks, and has removed what the broken one may have left."""
    request = Request(tasks=load_tasks(TASKS, ["vault"]), settings=settings(), slot=slot)
    graded = grade(control("correct", tmp_path), request)
    assert (graded.error, graded.report.score.percent) == (None, 100.0)
    assert containers(run_id) == containers(graded.report.run.id) == []


def wait_for(look: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found
