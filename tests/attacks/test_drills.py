"""Fault drills: whatever of ours breaks in mid-run, nobody gets a zero for it, and nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from grader.errors import ExitCode, GraderError
from grader.pipeline import Request, grade
from grader.sandbox.container import connect
from grader.sandbox.profile import LABEL
from grader.task import load_tasks
from tests.attacks.arena import TASKS, containers, control, settings
from tests.attacks.drills import as_root, during, is_ungraded, make_sleeper, next_is_fine, wait_for
from tests.attacks.engines import SlowLine, small_disk

SHARED = "/var/run/docker.sock"
pytestmark = [pytest.mark.docker, pytest.mark.slow]


@pytest.fixture
def sleeper(tmp_path: Path) -> Path:
    return make_sleeper(tmp_path)


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
