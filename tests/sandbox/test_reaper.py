"""What is left behind is found and removed; what somebody still waits for is left alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import psutil
import pytest

from grader.model import Limits
from grader.sandbox import backend, reaper
from grader.sandbox.attached import Attached
from grader.sandbox.container import connect
from grader.sandbox.profile import LABEL, labels
from grader.sandbox.protocol import SandboxRequest


def marks(owner: str, deadline: float) -> dict[str, str]:
    return labels(SandboxRequest(run_id="r", limits=Limits()), owner, deadline, reaper.until(deadline - time.time()))


LATER, EARLIER = time.time() + 3600, time.time() - 20  # not before a start of this machine, however short ago


def owner(*, host: str = "", pid: int = 0, started: int = 0) -> str:
    own_host, own_pid, own_start = reaper.owner().rsplit(":", 2)
    return f"{host or own_host}:{pid or own_pid}:{started or own_start}"


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_living_owner_keeps_its_container() -> None:
    assert not reaper.is_leftover(marks(reaper.owner(), LATER))


def test_a_dead_owner_leaves_a_leftover() -> None:
    assert reaper.is_leftover(marks(owner(pid=dead_pid()), LATER))


@pytest.mark.parametrize("jump_s", [-90_000, 90_000])
def test_a_clock_that_is_set_makes_no_leftovers(monkeypatch: pytest.MonkeyPatch, jump_s: float) -> None:
    alive, dead = marks(reaper.owner(), LATER), marks(owner(pid=dead_pid()), LATER)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump_s)
    assert not reaper.is_leftover(alive)
    assert reaper.is_leftover(dead)


def test_a_process_number_that_was_given_again_does_not_keep_it() -> None:
    assert reaper.is_leftover(marks(owner(started=12345), LATER))


def test_a_container_of_another_host_is_left_until_its_deadline() -> None:
    foreign = owner(host="another-boot-id", pid=dead_pid())
    assert not reaper.is_leftover(marks(foreign, LATER))
    assert reaper.is_leftover(marks(foreign, EARLIER))


def test_the_deadline_holds_for_everybody() -> None:
    assert reaper.is_leftover(marks(reaper.owner(), EARLIER))


@pytest.mark.parametrize(
    "found",
    [{}, {"grader.process": "x"}, {"grader.process": "a:b:c"}, {"grader.process": "", "grader.deadline": ""},
     {"grader.deadline": "soon"}, {"grader.deadline": "-1"}],
    ids=str,
)  # fmt: skip
def test_labels_that_say_nothing_remove_nothing(found: dict[str, str]) -> None:
    assert not reaper.is_leftover(found)


def test_the_owner_names_this_very_process() -> None:
    _, pid, started = reaper.owner().rsplit(":", 2)
    assert int(pid) == os.getpid()
    assert abs(int(started) / os.sysconf("SC_CLK_TCK") - (psutil.Process().create_time() - psutil.boot_time())) < 2


class Engine:
    """An engine with three containers; removing some of them fails."""

    def __init__(self, rows: list[dict[str, Any]], broken: tuple[str, ...] = ()) -> None:
        self.api = self
        self.rows, self.broken = rows, broken
        self.removed: list[str] = []

    def containers(self, *, all: bool, filters: dict[str, str]) -> list[dict[str, Any]]:  # noqa: A002 - the SDK's name
        """Rows whose labels fit."""
        name, _, value = filters["label"].partition("=")
        return [
            row for row in self.rows if row["Labels"] and name in row["Labels"] and value in ("", row["Labels"][name])
        ]

    def remove_container(self, name: str, *, force: bool, v: bool) -> None:
        """Removes one."""
        if name in self.broken:
            raise RuntimeError("busy")
        self.removed.append(name)


def rows() -> list[dict[str, Any]]:
    return [
        {"Id": "mine", "Labels": marks(reaper.owner(), LATER)},
        {"Id": "old", "Labels": marks(owner(pid=dead_pid()), LATER)},
        {"Id": "late", "Labels": marks(reaper.owner(), EARLIER) | {LABEL: "other"}},
        {"Id": "foreign", "Labels": None},
    ]


def test_only_leftovers_are_removed() -> None:
    engine = Engine(rows())
    assert reaper.reap(engine) == 2
    assert engine.removed == ["old", "late"]


def test_everything_of_one_run_is_removed_on_request() -> None:
    engine = Engine(rows())
    assert reaper.reap(engine, run_id="r") == 2
    assert engine.removed == ["mine", "old"]


def test_what_cannot_be_removed_does_not_keep_the_others() -> None:
    engine = Engine(rows(), broken=("old",))
    assert reaper.reap(engine) == 1
    assert engine.removed == ["late"]


def test_an_engine_that_does_not_answer_fails_no_run() -> None:
    assert reaper.reap(object()) == 0


START = """
import sys, time
from grader.model import Limits
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest
backend("docker").start(SandboxRequest(run_id=sys.argv[1], limits=Limits(), slot=9))
print("started", flush=True)
time.sleep(600)
"""


@contextmanager
def started_judge(run_id: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has started a sandbox; whoever asks kills it."""
    with subprocess.Popen([sys.executable, "-c", START, run_id], stdout=subprocess.PIPE) as judge:
        assert judge.stdout
        assert judge.stdout.readline() == b"started\n"
        yield judge


def kill(judge: subprocess.Popen[bytes]) -> None:
    """Without a word."""
    judge.send_signal(signal.SIGKILL)
    judge.wait()


def containers(run_id: str) -> list[Any]:
    """What the engine has of a run, also what has ended."""
    with closing(connect()) as client:
        return list(client.api.containers(all=True, filters={"label": f"{LABEL}={run_id}"}))


@pytest.mark.docker
def test_the_container_of_a_killed_judge_is_reaped_at_the_next_start(sandbox_image: str) -> None:
    run_id = f"test-reaper-{os.getpid()}"
    with started_judge(run_id) as judge:
        backend("docker").reap()
        assert len(containers(run_id)) == 1, "its judge is alive"
        kill(judge)
        assert backend("docker").reap() >= 1
        assert containers(run_id) == []


@pytest.mark.docker
def test_a_sandbox_that_starts_removes_what_a_killed_judge_left(sandbox_image: str) -> None:
    run_id = f"test-reaper-start-{os.getpid()}"
    with started_judge(run_id) as judge:
        kill(judge)
    request = SandboxRequest(run_id=f"{run_id}-next", limits=Limits(), slot=9)
    with closing(backend("docker").start(request)):
        assert containers(run_id) == []


@pytest.mark.docker
def test_an_interrupt_while_a_container_is_made_leaves_none(
    monkeypatch: pytest.MonkeyPatch, sandbox_image: str
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Attached, "__init__", interrupted)
    request = SandboxRequest(run_id="interrupted-while-made", limits=Limits())
    with pytest.raises(KeyboardInterrupt):
        backend("docker").start(request)
    assert containers(request.run_id) == []
