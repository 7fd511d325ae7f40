"""Judges that a server forks, and that are started ahead of need: the same results, nothing early, nothing left."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from grader.errors import Ungraded
from grader.judge.job import Job
from grader.judge.launch import run_judge
from grader.judge.warm import WarmJudges
from grader.model import CheckResult, Entry, Limits, TaskStatus
from tests.judge.suites import HEAD, job_for, submission, task_at

SUITE = (
    HEAD
    + """
@check("five", 5)
def test_five(candidate): compare.equal(candidate.call("five").tensor(), np.array([5, 5]))

@check("four", 5)
def test_four(candidate): compare.equal(candidate.call("four").tensor(), np.array([5, 5]))
"""
)
PATIENCE_S = 60.0


@pytest.fixture
def judges() -> Iterator[WarmJudges]:
    with WarmJudges(2) as warm:
        yield warm


def job(folder: Path, suite: str = SUITE) -> Job:
    """A job whose candidate leaves a file when its code is loaded."""
    hidden = folder / "task" / "hidden"
    hidden.mkdir(parents=True)
    (hidden / "test_hidden.py").write_text(suite, encoding="utf-8")
    code = f"""
import torch
open({str(folder / "loaded")!r}, "w").close()
def five(): return torch.tensor([5, 5])
def four(): return torch.tensor([4, 4])
"""
    task = task_at(folder / "task", 10.0, limits=Limits(wall_slack_s=60.0, task_wall_s=600.0))
    files = submission({"toy.py": code.encode()})
    return job_for(task, backend="process", submission=files, entry=Entry(path="toy.py"), run_id=folder.name)


def outcomes(checks: Sequence[CheckResult]) -> dict[str, str]:
    return {check.spec.id: check.outcome.value for check in checks}


def workers() -> list[psutil.Process]:
    """The sandboxes of this process's judges, however they were started."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        folder = (process.info["environ"] or {}).get("TMPDIR", "")
        if "grader.worker" in (process.info["cmdline"] or []) and f"-{os.getpid()}-" in folder:
            found.append(process)
    return found


def wait_for(count: int) -> None:
    """Until so many sandboxes are there."""
    deadline = time.monotonic() + PATIENCE_S
    while len(workers()) != count:
        assert time.monotonic() < deadline, f"{len(workers())} sandboxes instead of {count}"
        time.sleep(0.05)


def test_a_forked_judge_does_what_a_new_interpreter_does(tmp_path: Path, judges: WarmJudges) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    cold, warm = run_judge(job(tmp_path / "a")), run_judge(job(tmp_path / "b"), start=judges.start)
    assert outcomes(warm.checks) == outcomes(cold.checks) == {"five": "passed", "four": "failed"}
    assert [check.message for check in warm.checks] == [check.message for check in cold.checks]
    assert warm.status is TaskStatus.GRADED
    wait_for(0)


def test_judges_of_different_suites_do_not_meet(tmp_path: Path, judges: WarmJudges) -> None:
    one = HEAD + "import toys\n@check('a', 10)\ndef test_a(candidate): assert toys.NAME == 'one'"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        work = job(tmp_path / name, one.replace("'one'", repr(name)).replace("import toys", "from . import toys"))
        (tmp_path / name / "task" / "hidden" / "__init__.py").touch()
        (tmp_path / name / "task" / "hidden" / "toys.py").write_text(f"NAME = {name!r}\n")
        assert outcomes(run_judge(work, start=judges.start).checks) == {"a": "passed"}


def test_nothing_of_a_submission_is_in_a_sandbox_before_its_turn(tmp_path: Path, judges: WarmJudges) -> None:
    work = job(tmp_path)
    judges.prepare(work)
    assert judges.has(tmp_path.name, 0)
    assert judges.is_ahead(0)
    wait_for(1)
    time.sleep(0.5)  # it would be sent as soon as the worker has said hello
    assert not (tmp_path / "loaded").exists()
    ready = workers()
    result = run_judge(work, start=judges.start)
    assert (tmp_path / "loaded").exists()
    assert outcomes(result.checks) == {"five": "passed", "four": "failed"}
    assert not any(process.is_running() for process in ready)
    assert not judges.is_ahead(0)


def test_a_judge_that_nobody_wanted_ends_with_its_sandbox(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with WarmJudges() as judges:
        judges.prepare(job(tmp_path))
        wait_for(1)
    wait_for(0)
    assert not (tmp_path / "loaded").exists()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_a_job_that_runs_in_another_slot_gets_a_judge_of_that_slot(tmp_path: Path, judges: WarmJudges) -> None:
    work = job(tmp_path)
    judges.prepare(work)
    wait_for(1)
    first = workers()
    assert run_judge(replace(work, slot=1), start=judges.start).status is TaskStatus.GRADED
    assert not any(process.is_running() for process in first)
    wait_for(0)


def test_a_prepared_judge_that_died_is_replaced(tmp_path: Path, judges: WarmJudges) -> None:
    work = job(tmp_path)
    judges.prepare(work)
    wait_for(1)
    prepared = workers()[0].parent()
    assert prepared is not None
    prepared.kill()
    prepared.wait(PATIENCE_S)
    assert run_judge(work, start=judges.start).status is TaskStatus.GRADED


def test_a_forked_judge_that_is_killed_is_ours(tmp_path: Path, judges: WarmJudges) -> None:
    suite = HEAD + f"import os\n@check('a')\ndef test_a(candidate): os.kill(os.getpid(), {int(signal.SIGKILL)})"
    with pytest.raises(Ungraded, match="ended early"):
        run_judge(job(tmp_path, suite), start=judges.start)


def test_judges_are_started_without_a_server_that_ended(tmp_path: Path, judges: WarmJudges) -> None:
    judges._server._process.kill()
    assert run_judge(job(tmp_path), start=judges.start).status is TaskStatus.GRADED


def test_two_sandboxes_never_have_the_same_user(tmp_path: Path, judges: WarmJudges) -> None:
    seen: list[set[int]] = []
    claim, lock = judges._claim, threading.Lock()

    def noted(slot: int) -> int:
        with lock:
            user = claim(slot)
            seen.append(set(judges._users))
            return user

    judges._claim = noted  # type: ignore[method-assign]
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    first, second = (job(tmp_path / name) for name in ("a", "b"))
    with_first = judges.start(first)
    judges.prepare(second)
    wait_for(2)
    with_first.close()
    judges.start(second).close()
    assert seen == [{0}, {0, 2}]
    wait_for(0)
