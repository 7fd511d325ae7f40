"""The judge as a process of its own, with real candidate code: what comes back, and who is blamed where it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.errors import TaskBroken, Ungraded
from grader.judge.job import Job
from grader.judge.launch import run_judge
from grader.judge.starting import scratch_prefix, sweep
from grader.model import CheckResult, Entry, Limits, TaskStatus
from tests.judge.suites import HEAD, job_for, submission, task_at

EVIL = b"""
import os, sys
for name in [name for name in sys.modules if "pytest" in name or name == "numpy.testing"]:
    del sys.modules[name]
def pytest_runtest_makereport(item, call): raise SystemExit(0)
"""
CANDIDATE = b"""
import builtins, json, os, sys
import torch

os.environ["PYTEST_ADDOPTS"] = "--maxfail=0"
torch.allclose = torch.Tensor.__eq__ = lambda *_: True

def right():
    print("working")
    return torch.tensor([5, 5])

def wrong():
    print(json.dumps({"event": "check", "outcome": "passed", "score": 1.0}))
    return torch.tensor([5, 4])

def broken():
    values = []
    return values[3]

def ends():
    os._exit(0)

def exits():
    sys.exit(0)
"""
SUITE = (
    HEAD
    + """
FIVES = np.array([5, 5])

@check("right", 2)
def test_right(candidate): compare.equal(candidate.call("right").tensor(), FIVES)

@check("wrong", 2)
def test_wrong(candidate): compare.equal(candidate.call("wrong").tensor(), FIVES)

@check("broken", 2)
def test_broken(candidate): candidate.call("broken")

@check("ends", 2)
def test_ends(candidate): candidate.call("ends")

@check("exits", 2)
def test_exits(candidate): candidate.call("exits")

@check("absent", 2)
def test_absent(candidate): candidate.call("absent")
"""
)
HOSTILE_NAMES = ("conftest.py", "sitecustomize.py", "usercustomize.py", "test_toy.py", "numpy.py", "grader.py", "x.pth")


def job(tmp_path: Path, suite: str = SUITE, points: float = 12.0) -> Job:
    hidden = tmp_path / "task" / "hidden"
    hidden.mkdir(parents=True)
    (hidden / "test_hidden.py").write_text(suite, encoding="utf-8")
    limits = Limits(wall_slack_s=60.0, task_wall_s=600.0)
    files = {"toy.py": CANDIDATE} | dict.fromkeys(HOSTILE_NAMES, EVIL)
    files |= {"pytest.ini": b"[pytest]\naddopts = --collect-only\n", "pyproject.toml": b"[tool.pytest.ini_options]\n"}
    del files["numpy.py"]  # shadowing numpy is the candidate's own loss, and would hide all the rest
    task = task_at(tmp_path / "task", points, limits=limits)
    return job_for(task, backend="process", submission=submission(files), entry=Entry(path="toy.py"))


def test_a_whole_run_gives_each_check_its_outcome(tmp_path: Path) -> None:
    told: list[CheckResult] = []
    result = run_judge(job(tmp_path), told.append)
    found = {check.spec.id: check for check in result.checks}
    assert {name: check.outcome.value for name, check in found.items()} == {
        "right": "passed", "wrong": "failed", "broken": "raised", "ends": "crashed", "exits": "raised",
        "absent": "invalid",
    }  # fmt: skip
    assert tuple(told) == tuple(result.checks)
    assert result.status is TaskStatus.GRADED
    assert found["right"].output == "working\n"
    assert '"passed"' in found["wrong"].output
    line = CANDIDATE.decode().splitlines().index("    return values[3]") + 1
    assert (found["broken"].location, found["broken"].exception) == (f"toy.py:{line}", "IndexError")
    assert found["exits"].exception == "SystemExit"
    assert result.resources.cpu_s > 0
    assert result.facts
    assert not result.facts.isolated


def test_a_broken_suite_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(TaskBroken, match="cannot be collected"):
        run_judge(job(tmp_path, "import no_such_module"))


def test_a_mistake_in_one_check_leaves_the_task_ungraded(tmp_path: Path) -> None:
    suite = HEAD + "@check('a')\ndef test_a(candidate): candidate.call('right').tensor()[7]"
    result = run_judge(job(tmp_path, suite, 10.0))
    assert result.status is TaskStatus.UNGRADED
    assert "IndexError" in result.reason


@pytest.mark.parametrize("how", [f"os.kill(os.getpid(), {int(signal.SIGKILL)})", "os._exit(0)"])
def test_a_judge_that_dies_is_ours_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    suite = HEAD + f"import os\n@check('a')\ndef test_a(candidate): {how}"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    with pytest.raises(Ungraded, match="ended early"):
        run_judge(job(tmp_path, suite, 10.0))
    assert list(scratch.iterdir()) == []


def test_no_descriptor_of_ours_is_left_open(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    run_judge(job(tmp_path, HEAD + "@check('a')\ndef test_a(): pass", 10.0))
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_scratch_folders_of_killed_processes_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = subprocess.Popen(["true"])
    dead.wait()
    kept = {scratch_prefix(os.getpid()) + "b", f"grader-run-0-{dead.pid}-c", "grader-run-other"}
    kept |= {scratch_prefix(2**40) + "d"}
    for name in (scratch_prefix(dead.pid) + "a", *kept):
        (tmp_path / name).mkdir()
    sweep()
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_a_judge_whose_parent_died_while_it_started_removes_its_scratch_folder(tmp_path: Path) -> None:
    scratch = tmp_path / "grader-run-x"
    scratch.mkdir()
    environment = os.environ | {"TMPDIR": str(scratch)}
    command = [sys.executable, "-I", "-m", "grader.judge", "2", "999999999"]
    done = subprocess.run(command, env=environment, input=b'{"task": ', capture_output=True, check=False)
    assert done.returncode == 1
    assert not scratch.exists()
