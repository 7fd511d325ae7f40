"""The contract's other half: limits, what isolation adds, and that nothing is left when a sandbox ends.

Where a test holds for containers only, that is what isolation adds; the process backend promises limits, no more.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader.judge.faults import CandidateFault, SandboxDown
from grader.judge.link import Link
from grader.model import Outcome
from grader.sandbox import backend
from grader.sandbox.container import connect
from grader.sandbox.profile import LABEL, PYTHON
from grader.sandbox.protocol import SandboxRequest
from grader.worker.wire import FrameType, encode_frame
from tests.sandbox.rig import LIMITS, SECRET_SEED, Rig

isolated = pytest.mark.parametrize("rig", [pytest.param("docker", marks=pytest.mark.docker)], indirect=True)
"""Tests of what only a container promises."""

# --- time, memory, processes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["python", "c", "ignores signals", "child"])
def test_computing_without_end_is_a_timeout_by_cpu_time(rig: Rig, how: str) -> None:
    fault = rig.fault("hang", how, cpu_s=0.4)
    assert fault.outcome is Outcome.TIMEOUT
    assert "CPU" in fault.message


def test_waiting_without_end_is_a_timeout_by_the_wall_clock(rig: Rig) -> None:
    fault = rig.fault("hang", "sleep", cpu_s=0.1)
    assert fault.outcome is Outcome.TIMEOUT
    assert "wall" in fault.message


def test_loading_without_end_is_a_timeout(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.judge.bench.LOAD_CPU_S", 0.5)
    with pytest.raises(CandidateFault) as caught, rig.opened("hangs.py"):
        pass
    assert caught.value.outcome is Outcome.TIMEOUT
    monkeypatch.undo()
    assert rig.call("alive").integer() == 1


def test_memory_beyond_the_limit_is_a_memory_outcome(rig: Rig) -> None:
    assert rig.fault("eat_memory", cpu_s=60.0).outcome is Outcome.MEMORY


def test_memory_of_a_child_counts(rig: Rig) -> None:
    """The kernel of a container kills the child alone and its parent may go on; else the sum is the candidate's."""
    try:
        status = rig.call("child_eats_memory", cpu_s=60.0).integer()
    except CandidateFault as fault:
        assert fault.outcome is Outcome.MEMORY
    else:
        assert status == -9
        assert rig.name == "docker"
    assert rig.call("alive").integer() == 1


def test_a_daemon_is_gone_once_its_check_is_over(rig: Rig) -> None:
    with rig.opened() as candidate:
        pid = candidate.call("daemon").integer()
        assert pid in candidate.call("processes")._value[0]
    assert pid not in rig.value("processes")[0]


def test_files_of_one_check_are_gone_in_the_next(rig: Rig) -> None:
    with rig.opened() as candidate:
        paths = candidate.call("leave_files").names()
        assert all(candidate.call("exist", paths)._value)
    assert not any(rig.value("exist", paths))


def test_a_session_that_is_kept_keeps_its_own_files(rig: Rig) -> None:
    with rig.opened() as shared:
        paths = shared.call("leave_files").names()
        rig.call("alive")
        assert all(shared.call("exist", paths)._value)
    assert not any(rig.value("exist", paths))


def test_the_server_ignores_what_its_children_send_it(rig: Rig) -> None:
    sandbox = rig.hello()._sandbox
    with contextlib.suppress(CandidateFault):  # a container's filter refuses already the sending
        rig.call("interrupt_server")
    assert rig.call("alive").integer() == 1
    assert rig.hello()._sandbox is sandbox, "it ended, and was replaced"


# --- what isolation adds ---------------------------------------------------------------------------------------


@isolated
def test_a_fork_bomb_ends_within_the_limits(rig: Rig) -> None:
    assert rig.fault("fork_bomb", cpu_s=1.0).outcome is Outcome.TIMEOUT
    assert rig.hello()._sandbox.usage().processes <= LIMITS.pids


@isolated
def test_no_signal_reaches_the_server(rig: Rig) -> None:
    assert rig.value("send_signals") == [1] * 6
    assert rig.call("alive").integer() == 1


@isolated
def test_nothing_of_the_server_can_be_opened(rig: Rig) -> None:
    assert rig.value("reach_server") == []


@isolated
def test_there_is_no_network(rig: Rig) -> None:
    assert rig.value("connect") == []


@isolated
def test_nothing_outside_its_own_folder_can_be_written(rig: Rig) -> None:
    assert rig.value("write_outside") == []


@isolated
def test_surroundings_hold_no_secret(rig: Rig) -> None:
    text = rig.value("look_around")
    assert "OMP_NUM_THREADS" in text
    for secret in (str(SECRET_SEED), f"{SECRET_SEED:x}", "test_contract", "hidden", "expected", str(Path.cwd())):
        assert secret not in text


@isolated
def test_only_processes_of_this_sandbox_are_seen(rig: Rig) -> None:
    pids, own = rig.value("processes")
    assert pids == [1, own]


# --- ends ------------------------------------------------------------------------------------------------------


def leftovers(rig: Rig) -> list[str]:
    """Containers of the rig's run, or its worker's processes and folder."""
    if rig.name == "docker":
        with closing(connect()) as client:
            found = client.api.containers(all=True, filters={"label": f"{LABEL}={rig._request.run_id}"})
            return [row["Id"] for row in found]
    sandbox: Any = rig._sandbox
    alive = [str(pid) for pid in [sandbox._process.pid] if psutil.pid_exists(pid)]
    return alive + ([str(sandbox._root)] if sandbox._root.exists() else [])


def say_only(rig: Rig, session: Any, name: str) -> None:
    """Sends a call and does not wait for what comes: nothing else can be asked afterwards."""
    link = rig.hello()
    request = {"verb": "call", "arguments": {"name": name}, "value": [[], {"$": "dict", "v": []}], "seed": 1}
    head = {"verb": "session", "session": session.number, "request": request}
    link._sandbox.send(encode_frame(FrameType.REQUEST, 5, head), time.monotonic() + 10)


def test_nothing_is_left_after_the_end_whatever_runs(fresh: Rig) -> None:
    with fresh.opened() as candidate:
        daemon = candidate.call("daemon").integer()
        (_, flooding), (_, hanging) = fresh.open(), fresh.open()
        say_only(fresh, flooding, "flood_slowly")
        say_only(fresh, hanging, "hang")
        fresh.hello().kill()
    assert leftovers(fresh) == []
    assert fresh.name == "docker" or not psutil.pid_exists(daemon)


def test_bye_ends_the_worker_in_order(fresh: Rig) -> None:
    link = fresh.hello()
    with pytest.raises(CandidateFault) as caught:
        link.request({"verb": "bye"}, cpu_s=5.0)
    assert caught.value.outcome is Outcome.CRASHED
    assert "ended with 0" in caught.value.message
    assert leftovers(fresh) == []


def test_closing_twice_and_closing_what_is_gone_is_fine(fresh: Rig) -> None:
    sandbox = fresh.hello()._sandbox
    kill_from_outside(fresh)
    sandbox.close()
    sandbox.close()
    assert leftovers(fresh) == []


def kill_from_outside(rig: Rig) -> None:
    sandbox: Any = rig.hello()._sandbox
    if rig.name == "docker":
        sandbox._client.api.kill(sandbox._id)
    else:
        sandbox._process.kill()


def test_a_kill_from_outside_is_ours_where_there_is_evidence(fresh: Rig) -> None:
    """An engine keeps a record of kills; of a bare process nobody can say who ended it."""
    with fresh.opened() as candidate:
        kill_from_outside(fresh)
        kind: Callable[..., Any] = SandboxDown if fresh.name == "docker" else CandidateFault
        with pytest.raises(kind):  # type: ignore[call-overload]  # one of two exception classes
            candidate.call("alive")
    assert leftovers(fresh) == []


def test_a_sandbox_that_is_gone_is_replaced(fresh: Rig) -> None:
    first = fresh.hello()._sandbox
    fresh.hello().kill()
    assert fresh.call("alive").integer() == 1
    assert fresh.hello()._sandbox is not first


# --- the attached stream ------------------------------------------------------------------------------------------

FLOOD = "import os\nwhile True: os.write(1, b'x' * 65536); os.write(2, b'y' * 65536)"


@pytest.mark.docker
def test_a_container_that_floods_its_stream_unread_is_ended_all_the_same(
    sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine does not kill a container whose attached client reads nothing: the connection must go first."""
    monkeypatch.setattr("grader.sandbox.profile.command", lambda request: [PYTHON, "-I", "-c", FLOOD])
    request = SandboxRequest(run_id=f"test-flood-{os.getpid()}", limits=LIMITS, slot=7)
    sandbox: Any = backend("docker").start(request)
    while not sandbox.receive(5.0):
        pass
    last_resort: list[str] = []
    monkeypatch.setattr(sandbox, "_kill_host_process", lambda: last_resort.append("used"))
    sandbox.close()
    assert last_resort == []
    with closing(connect()) as client:
        assert client.api.containers(all=True, filters={"label": f"{LABEL}={request.run_id}"}) == []


@pytest.mark.docker
def test_a_worker_that_says_nothing_sensible_is_ours(sandbox_image: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.sandbox.profile.command", lambda request: [PYTHON, "-I", "-c", "print('x' * 100)"])
    request = SandboxRequest(run_id="test-nonsense", limits=LIMITS, slot=7)
    sandbox = backend("docker").start(request)
    with pytest.raises(SandboxDown, match="did not come up"):
        Link(sandbox, LIMITS).hello()
