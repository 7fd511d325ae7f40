"""Fault drills: whatever of ours breaks in mid-run, nobody gets a zero for it, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.errors import ExitCode, GraderError, SandboxUnavailable, TaskBroken, Ungraded
from grader.model import CheckResult, ReportStatus
from grader.pipeline import Graded, Request, grade
from grader.sandbox.container import connect
from grader.sandbox.profile import LABEL
from grader.task import load_tasks
from tests.attacks.arena import TASKS, containers, control, settings
from tests.attacks.engines import SlowLine, small_disk

SHARED = "/var/run/docker.sock"
SLEEPS = b"""
import time
from key import build, code as right, rows


def code(x):
    if x:
        time.sleep(6)
    return right(x)
"""
pytestmark = [pytest.mark.docker, pytest.mark.slow]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount small disks and to kill as the host does")


@pytest.fixture
def sleeper(tmp_path: Path) -> Path:
    """A submission that is right, and sleeps in its hidden checks: time for a fault."""
    folder = tmp_path / "sleeper"
    shutil.copytree(control("correct", tmp_path), folder)
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


# --- the container and the judge ---------------------------------------------------------------------------


def kill_container(run_id: str) -> None:
    with contextlib.closing(connect()) as client:
        client.api.kill(containers(run_id)[0])


def kill_process(run_id: str) -> None:
    """As the host does when its own memory ends: no word to the engine."""
    with contextlib.closing(connect()) as client:
        pid = client.api.inspect_container(containers(run_id)[0])["State"]["Pid"]
    os.kill(pid, signal.SIGKILL)


def kill_judge(run_id: str) -> None:
    with contextlib.closing(connect()) as client:
        owner = client.api.inspect_container(containers(run_id)[0])["Config"]["Labels"]["grader.process"]
    os.kill(int(owner.split(":")[-2]), signal.SIGKILL)


@pytest.mark.parametrize(
    ("fault", "slot"),
    [(kill_container, 60), pytest.param(kill_process, 61, marks=as_root), (kill_judge, 62)],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_what_is_killed_from_outside_is_ungraded(
    fault: Callable[[str], None], slot: int, sleeper: Path, tmp_path: Path, sandbox_image: str
) -> None:
    result, run_id = during(sleeper, fault, slot)
    is_ungraded(result)
    assert containers(run_id) == []
    next_is_fine(tmp_path, slot, run_id)


def test_a_killed_command_leaves_nothing_within_ten_seconds(sleeper: Path, tmp_path: Path, sandbox_image: str) -> None:
    out, scratch = tmp_path / "report.json", tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "grader.cli", "grade", str(sleeper), "--task", "vault", "--tasks-dir", str(TASKS)]
    with subprocess.Popen([*command, "-o", str(out)], env={**os.environ, "TMPDIR": str(scratch)}) as process:
        mine = wait_for(lambda: owned_by_a_child(process.pid), 120)
        time.sleep(4.0)
        process.kill()
        process.wait()
    wait_for(lambda: not containers(mine), 10)
    wait_for(lambda: not list(scratch.iterdir()), 10)
    assert not out.exists()


def wait_for(look: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)
    return found


def owned_by_a_child(pid: int) -> str:
    """The run of a container that a child of `pid` has started."""
    children = {str(child.pid) for child in psutil.Process(pid).children(recursive=True)}
    with contextlib.closing(connect()) as client:
        for row in client.api.containers(filters={"label": LABEL}):
            if row["Labels"].get("grader.process", "::").split(":")[-2] in children:
                return str(row["Labels"][LABEL])
    return ""


# --- the disk -----------------------------------------------------------------------------------------------


@as_root
def test_a_full_disk_under_the_report_is_said_and_leaves_no_half_of_one(tmp_path: Path, sandbox_image: str) -> None:
    with small_disk(tmp_path / "out", "16k") as disk:
        (disk / "filler").write_bytes(b"x" * 12 * 1024)
        command = [sys.executable, "-m", "grader.cli", "grade", str(control("correct", tmp_path)), "--task", "vault"]
        done = subprocess.run(
            [*command, "--tasks-dir", str(TASKS), "-o", str(disk / "report.json")],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode not in (ExitCode.GRADED, ExitCode.BUG), done.stderr
        assert "No space left" in done.stderr
        assert "Traceback" not in done.stderr
        assert [path.name for path in disk.iterdir()] == ["filler"]


@as_root
def test_a_full_disk_under_the_judge_is_ungraded(
    tmp_path: Path, sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "small", "16k") as disk:
        (disk / "filler").write_bytes(b"x" * 16 * 1024)
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        request = Request(tasks=load_tasks(TASKS, ["vault"]), settings=settings(), slot=63)
        with contextlib.suppress(GraderError):
            is_ungraded(grade(control("correct", tmp_path), request))
        assert [path.name for path in disk.iterdir()] == ["filler"]
    monkeypatch.undo()
    next_is_fine(tmp_path, 63, "none")


# --- the engine ---------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path(SHARED).is_socket(), reason="the engine is not at its usual socket")
def test_an_engine_that_answers_slowly_changes_no_score(
    tmp_path: Path, sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = SlowLine(tmp_path / "slow.sock", SHARED, delay_s=0.3)
    monkeypatch.setenv("DOCKER_HOST", line.host)
    next_is_fine(tmp_path, 64, "none")
    line.close()


@pytest.mark.skipif(not Path(SHARED).is_socket(), reason="the engine is not at its usual socket")
def test_an_engine_that_stops_answering_is_ungraded(
    sleeper: Path, tmp_path: Path, sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = SlowLine(tmp_path / "stalled.sock", SHARED, delay_s=0.0)
    with monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", line.host)
        result, run_id = during(sleeper, lambda _: line.stalled.set(), 65)
        is_ungraded(result)
    line.stalled.clear()
    line.close()
    next_is_fine(tmp_path, 65, run_id)
