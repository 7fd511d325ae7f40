"""A second judge that takes a part of a task: the same result to the last word, whatever becomes of the helper."""

from __future__ import annotations

import functools
import json
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.judge import crew
from grader.judge.crew import Crews
from grader.judge.helping import Helpers
from grader.judge.job import Job
from grader.judge.kept import result_to_json
from grader.judge.launch import Start, run_judge
from grader.judge.starting import StartedJudge
from grader.judge.warm import WarmJudges
from grader.model import Bug, Entry, Limits, TaskResult, Text
from grader.runners.pool import Pool
from grader.runners.protocol import Context, Slot
from grader.runners.together import run_all
from tests.judge.suites import HEAD, job_for, submission, task_at

CANDIDATE = """
import os, pathlib, time
import torch

HERE = pathlib.Path({folder!r})
MEETS = {meets!r}

def train(name):
    if MEETS:  # until another process trains as well
        (HERE / f"{{name}}-{{os.getpid()}}").touch()
        end = time.monotonic() + 60
        while len({{file.name.partition("-")[0] for file in HERE.iterdir()}}) < 2 and time.monotonic() < end:
            time.sleep(0.02)
    else:
        time.sleep({seconds})
    print("trained", name)
    return torch.rand(4)

def number():
    return torch.rand(1)

def die():
    os._exit(3)
"""
SUITE = (
    HEAD
    + """
@pytest.fixture(scope="session")
def data(drawn): return drawn.random(4)

@pytest.fixture(scope="session")
def first(shared, data, evidence): return shared(lambda candidate: train(candidate, "first", data, evidence))

@pytest.fixture(scope="session")
def second(shared, data, evidence): return shared(lambda candidate: train(candidate, "second", data, evidence))

@pytest.fixture(scope="session")
def third(shared, data, evidence): return shared(lambda candidate: train(candidate, "third", data, evidence))

def train(candidate, name, data, evidence):
    values = candidate.call("train", name).tensor(shape=(4,), dtype="floating")
    evidence.curves(name, {"values": values}, title=name)
    evidence.curves("last", {"values": values}, title=f"of {name}")
    return candidate, values

@check("a", 1)
def test_a(first, data, diagnosis):
    diagnosis.suspect("slip", confidence=0.5, evidence=f"first {first()[1]}")
    require(False, f"{first()[1]} {data}")

@check("b", 1)
def test_b(candidate, rng, data): require(False, f"{candidate.call('number').tensor(shape=(1,))} {rng.random()} {data}")

@check("c", 1)
def test_c(second, diagnosis):
    diagnosis.suspect("slip", confidence=0.5, evidence=f"second {second()[1]}")
    diagnosis.suspect("other", confidence=0.4, evidence="second")
    require(False, f"{second()[1]}")

@check("d", 1)
def test_d(first): partial(0.5, f"{first()[0].call('number').tensor(shape=(1,))}")

@check("e", 2)
def test_e(third, diagnosis):
    diagnosis.suspect("other", confidence=0.6, evidence="third")
    require(False, f"{third()[1]}")

@check("f", 2)
def test_f(second): second()

@check("g", 2)
def test_g(third): third()[0].call("nothing")
"""
)
DEADLY = (
    HEAD
    + """
@pytest.fixture(scope="session")
def first(shared): return shared(lambda candidate: (candidate, candidate.call("train", "first")))

@pytest.fixture(scope="session")
def second(shared): return shared(lambda candidate: (candidate, candidate.call("train", "second")))

@check("a", 2)
def test_a(first): first()[0].call("die")

@check("b", 2)
def test_b(first): first()[0].call("die")

@check("c", 2)
def test_c(second): second()[0].call("die")

@check("d", 2)
def test_d(second): second()

@check("e", 2)
def test_e(first): first()
"""
)
BUGS = tuple(Bug(id=name, text=Text(en=name), question=Text(en="Why?")) for name in ("slip", "other"))
SLOTS = [Slot(number=0), Slot(number=1)]


def job(
    folder: Path, suite: str = SUITE, *, backend: str = "process", meets: bool = False, seconds: int = 0, run: str = "r"
) -> Job:
    """A job whose trainings wait, with `meets`, for one in another process; else they take so many seconds."""
    root = folder / "task"
    (root / "hidden").mkdir(parents=True, exist_ok=True)
    (root / "hidden" / "test_hidden.py").write_text(suite, encoding="utf-8")
    (folder / "seen").mkdir(exist_ok=True)
    code = CANDIDATE.format(folder=str(folder / "seen"), meets=meets, seconds=seconds).encode()
    limits = Limits(wall_slack_s=90.0, task_wall_s=600.0)
    task = task_at(root, 10.0, limits=limits, bugs=BUGS)
    files = submission({"toy.py": code})
    return job_for(task, backend=backend, submission=files, entry=Entry(path="toy.py"), run_id=run, pictures=True)


def lasting(result: TaskResult) -> dict[str, Any]:
    """All of a result that two gradings of the same code must have in common."""
    data = result_to_json(result)
    del data["resources"], data["facts"]
    return data | {"checks": [row | {"duration_s": 0, "cpu_s": 0} for row in data["checks"]]}


class Watched:
    """Counts the judges that are started; each is given to `on_start` first."""

    def __init__(self, start: Start = StartedJudge, on_start: Callable[[StartedJudge], None] | None = None) -> None:
        self._start, self._on_start = start, on_start
        self.jobs: list[Job] = []

    def __call__(self, wanted: Job) -> StartedJudge:
        self.jobs.append(wanted)
        judge = self._start(wanted)
        if self._on_start and len(self.jobs) > 1:
            self._on_start(judge)
        return judge


def graded(wanted: Job, start: Start = StartedJudge, slots: Sequence[Slot] = SLOTS) -> tuple[TaskResult, list[object]]:
    """The result in a pool whose other slots help, and what was told."""
    crews, told = Crews(), list[object]()

    def work(one: Job, context: Context) -> TaskResult:
        return run_judge(one, context.tell, context.cancelled, start, crews)

    pool: Pool[Job, TaskResult] = Pool(work, slots, helper=Helpers[Job](crews, lambda one: one.run_id, start))
    (result,) = run_all(pool, [wanted], told.append)
    return result, told


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help is asked for as soon as there is something to do."""
    monkeypatch.setattr(crew, "HELP_AFTER_S", 0.0)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What one judge gives for a suite."""
    return functools.cache(lambda suite: lasting(run_judge(job(tmp_path_factory.mktemp("alone"), suite))))


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("warm", [False, True])
def test_two_judges_train_at_a_time_and_give_what_one_gives(
    tmp_path: Path, alone: Callable[[str], dict[str, Any]], *, warm: bool
) -> None:
    expected = alone(SUITE)
    if warm:
        with WarmJudges(2) as judges:
            watched = Watched(judges.start)
            result, told = graded(job(tmp_path, meets=True), watched)
    else:
        watched = Watched()
        result, told = graded(job(tmp_path, meets=True), watched)
    names = {file.name.partition("-")[0] for file in (tmp_path / "seen").iterdir()}
    assert names == {"first", "second", "third"}
    assert len(watched.jobs) == 2
    assert lasting(result) | {"artifacts": 0} == expected | {"artifacts": 0}
    assert [file.name for file in result.artifacts] == ["first", "last", "second", "third"]
    assert lasting(result) == expected, "the pictures too"
    assert sorted(check.spec.id for check in told) == list("abcdefg"), "each check is told of once"  # type: ignore[attr-defined]
    assert result.resources.cpu_s > 0


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.usefixtures("at_once", "sandbox_image")
@pytest.mark.parametrize("suite", [SUITE, DEADLY])
def test_in_containers_as_well(tmp_path: Path, alone: Callable[[str], dict[str, Any]], suite: str) -> None:
    from grader.sandbox.container import connect
    from grader.sandbox.profile import LABEL

    wanted = job(tmp_path, suite, backend="docker", seconds=3, run=tmp_path.name)
    result, told = graded(wanted, watched := Watched())
    assert not [what for what in told if isinstance(what, str)]
    assert len(watched.jobs) == 2
    assert lasting(result) == alone(suite), "what the same code gives without a container"
    assert result.facts
    assert result.facts.isolated
    client = connect()
    for run in (one.run_id for one in watched.jobs):
        assert client.api.containers(all=True, filters={"label": f"{LABEL}={run}"}) == []


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_a_task_whose_processes_end_again_and_again_ends_where_it_would_with_one_judge(
    tmp_path: Path, alone: Callable[[str], dict[str, Any]]
) -> None:
    expected = alone(DEADLY)
    outcomes = {row["spec"]["id"]: row["message"] for row in expected["checks"]}
    assert "not run" in outcomes["d"]
    result, _ = graded(job(tmp_path, DEADLY, meets=True))
    assert {file.name.partition("-")[0] for file in (tmp_path / "seen").iterdir()} == {"first", "second"}
    assert lasting(result) == expected


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("when", ["at once", "while it trains"])
def test_what_a_helper_began_is_done_again_where_it_dies(
    tmp_path: Path, alone: Callable[[str], dict[str, Any]], when: str
) -> None:
    expected = alone(SUITE)

    def end(judge: StartedJudge) -> None:
        if when == "at once":
            judge.process.send_signal(signal.SIGKILL)
            return

        def later() -> None:  # the second training waits for the first, or the other way round: both have begun
            while len({file.name.partition("-")[0] for file in (tmp_path / "seen").iterdir()}) < 2:
                if judge.process.poll() is not None:
                    return
                threading.Event().wait(0.01)
            judge.process.send_signal(signal.SIGKILL)

        threading.Thread(target=later, daemon=True).start()

    meets = when != "at once"
    result, told = graded(job(tmp_path, meets=meets), watched := Watched(on_start=end))
    assert len(watched.jobs) == 2, "who failed once is not asked again"
    assert lasting(result) == expected
    assert any("gave up" in str(what) for what in told)


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_a_helper_that_cannot_be_started_costs_nothing(tmp_path: Path, alone: Callable[[str], dict[str, Any]]) -> None:
    expected = alone(SUITE)

    def start(wanted: Job) -> StartedJudge:
        if wanted.run_id != "r":
            raise OSError("no more processes")
        return StartedJudge(wanted)

    result, told = graded(job(tmp_path), start)
    assert lasting(result) == expected
    assert any("no more processes" in str(what) for what in told)


@pytest.mark.slow
def test_short_work_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "HELP_AFTER_S", 60.0)
    graded(job(tmp_path), watched := Watched())
    assert len(watched.jobs) == 1


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_a_notebook_is_not_executed_a_second_time(tmp_path: Path) -> None:
    wanted = job(tmp_path)
    cell = {"cell_type": "code", "source": wanted.submission.files["toy.py"].decode(), "metadata": {}, "outputs": []}
    notebook = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    wanted = replace(
        wanted, submission=submission({"toy.ipynb": notebook}), entry=Entry(path="toy.ipynb", kind="ipynb")
    )
    result, _ = graded(wanted, watched := Watched())
    assert len(watched.jobs) == 1
    assert [check.outcome.value for check in result.checks] == [*["failed"] * 5, "passed", "invalid"]


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_an_interrupt_ends_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    crews, watched = Crews(), Watched()

    def work(one: Job, context: Context) -> TaskResult:
        return run_judge(one, None, context.cancelled, watched, crews)

    # Both train what waits for another name, so both wait.
    suite = SUITE.replace('candidate.call("train", name)', 'candidate.call("train", "first")')
    pool: Pool[Job, TaskResult] = Pool(work, SLOTS, helper=Helpers[Job](crews, lambda one: one.run_id, watched))
    pool.start(job(tmp_path, suite, meets=True))
    while len(list((tmp_path / "seen").iterdir())) < 2:
        pool.assist()
        pool.next(0.05)
    assert len(processes_of(scratch)) >= 4, "two judges and two sandboxes"
    assert pool.stop(60.0)
    assert processes_of(scratch) == []
    assert list(scratch.iterdir()) == []


def processes_of(scratch: Path) -> list[psutil.Process]:
    """Whose folder for temporary files is there."""
    running = psutil.process_iter(["environ"])
    return [one for one in running if (one.info["environ"] or {}).get("TMPDIR", "").startswith(str(scratch))]


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
def test_a_suite_that_changes_while_it_runs_is_not_put_together(tmp_path: Path) -> None:
    def start(wanted: Job) -> StartedJudge:
        if wanted.run_id != "r":
            tests = tmp_path / "task" / "hidden" / "test_hidden.py"
            tests.write_text(tests.read_text(encoding="utf-8").replace('"g", 2', '"h", 2'), encoding="utf-8")
        return StartedJudge(wanted)

    result, told = graded(job(tmp_path, seconds=2), start)
    assert [check.spec.id for check in result.checks] == list("abcdefg")
    assert any("changed while it ran" in str(what) for what in told)
