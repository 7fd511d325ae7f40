"""One device for one job, on the whole machine; looked at afterwards, and set aside where its memory is not freed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.errors import SandboxUnavailable, Ungraded
from grader.sandbox import leases
from grader.sandbox.gpus import MIB
from grader.sandbox.leases import Lease, leased
from tests.samples import TASK
from tests.sandbox.driver import LISTING, SLICES, A, B, Driver, driver, gpu, part, process

__all__ = ["driver"]

OPTIONAL, REQUIRED, NONE = (replace(TASK, gpu=kind) for kind in ("optional", "required", "none"))
GENEROUS_S = 60.0
HOLD = """
import sys, time
from pathlib import Path
from grader.sandbox.leases import leased
from tests.sandbox.test_leases import OPTIONAL
with leased(sys.argv[2], OPTIONAL, "process", folder=Path(sys.argv[1])) as lease:
    print(lease.uuids[0], flush=True)
    time.sleep(600)
"""


@pytest.fixture
def two(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Two idle devices, and nobody waits long."""
    for name in ("BUSY_S", "FREED_S"):
        monkeypatch.setattr(leases, name, 0.0)
    monkeypatch.setattr(leases, "POLL_S", 0.02)
    driver.has(gpu(A), gpu(B))
    return driver


@pytest.fixture
def holder(tmp_path: Path, two: Driver) -> Iterator[subprocess.Popen[str]]:
    """Another process of grader, with the first device."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", HOLD, str(tmp_path), A]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout
        assert process.stdout.readline().strip() == A
        yield process
        process.kill()


def lease(folder: Path, asked: str = "all", **options: Any) -> Any:
    return leased(asked, options.pop("task", OPTIONAL), "process", folder=folder, **options)


def test_jobs_side_by_side_have_a_device_each(two: Driver, tmp_path: Path) -> None:
    with lease(tmp_path) as first, lease(tmp_path) as second:
        assert (first.uuids, second.uuids) == ((A,), (B,))
    with lease(tmp_path) as again:
        assert again.uuids == (A,)


def test_a_job_waits_for_another_of_the_same_batch(two: Driver, tmp_path: Path) -> None:
    given: list[tuple[str, ...]] = []

    def job() -> None:
        with lease(tmp_path, A) as mine:
            given.append(mine.uuids)

    with lease(tmp_path, A):
        thread = threading.Thread(target=job)
        thread.start()
        thread.join(0.2)
        assert given == []
    thread.join(GENEROUS_S)
    assert given == [(A,)]


def test_a_job_that_waits_can_be_stopped(two: Driver, tmp_path: Path) -> None:
    with lease(tmp_path, A), pytest.raises(Ungraded, match="interrupted"), lease(tmp_path, A, cancelled=lambda: True):
        pytest.fail("it was given out twice")


def test_another_process_is_named_and_another_device_taken(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with lease(tmp_path) as mine:
        assert mine.uuids == (B,)
    with (
        pytest.raises(SandboxUnavailable, match=f"GPU 0 .* is in use by process {holder.pid} of grader"),
        lease(tmp_path, A),
    ):
        pytest.fail("it was given out twice")


def test_a_lease_ends_with_the_process_that_has_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    holder.kill()
    holder.wait(GENEROUS_S)
    with lease(tmp_path, A) as mine:
        assert mine.uuids == (A,)


def test_auto_goes_without_where_all_are_taken_and_asks_again(two: Driver, tmp_path: Path) -> None:
    two.has(gpu(A, processes=[process(4711)]), gpu(B, used=9000))
    with lease(tmp_path, "auto") as mine:
        assert mine.uuids == ()
        assert "process 4711 computes on it" in mine.reason
        assert "9,000 MiB of its memory are in use" in mine.reason
        assert mine.facts == {"devices": [], "reason": mine.reason, "passing": True}
        assert mine.notes == ("ran on the CPU: no GPU could be had",)
    for asked, task in (("all", OPTIONAL), ("auto", REQUIRED)):
        with pytest.raises(SandboxUnavailable, match="process 4711"), lease(tmp_path, asked, task=task):
            pytest.fail("it was given out")


def test_memory_that_is_not_freed_sets_a_device_aside_until_it_is(two: Driver, tmp_path: Path) -> None:
    with lease(tmp_path) as mine:
        two.has(gpu(A, used=1000), gpu(B))
    assert "is set aside: 996 MiB of its memory were not freed" in mine.note
    assert mine.facts["note"] == mine.note
    with lease(tmp_path) as other:
        assert other.uuids == (B,)
    with pytest.raises(SandboxUnavailable, match="996 MiB of an earlier job are not freed"), lease(tmp_path, "0"):
        pytest.fail("it was given out")
    two.has(gpu(A), gpu(B))
    with lease(tmp_path) as again:
        assert again.uuids == (A,)
    assert list(tmp_path.glob("*.aside")) == []


def test_a_job_that_broke_tells_of_its_device_too(two: Driver, tmp_path: Path) -> None:
    said: list[str] = []
    with suppress(Ungraded), lease(tmp_path, told=said.append):
        two.has(gpu(A, used=1000), gpu(B))
        raise Ungraded("the judge overran its time")
    (line,) = said
    assert "is set aside" in line


def test_memory_that_comes_back_late_is_waited_for(
    two: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "FREED_S", GENEROUS_S)
    with lease(tmp_path) as mine:
        two.has(gpu(A, used=1000), gpu(B))
        later = threading.Timer(0.2, lambda: two.has(gpu(A, used=100), gpu(B)))
        later.start()
    assert mine.note == ""


@pytest.mark.parametrize("body", ["echo 'Unable to determine the device handle'; exit 15", "exec sleep 60"])
def test_a_device_that_falls_off_is_set_aside_and_the_job_counts(
    two: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    with lease(tmp_path) as mine:
        monkeypatch.setattr("grader.sandbox.gpus.TIMEOUT_S", 0.1)
        two.script(body)
    assert "the driver does not list it any more" in mine.note


def test_the_peak_is_the_drivers_account(two: Driver, tmp_path: Path) -> None:
    with lease(tmp_path) as mine:
        two.has(gpu(A, used=3004), gpu(B, used=20000))
        wait_for(mine, 3000 * MIB)
        two.has(gpu(A), gpu(B))
    assert (mine.peak_bytes, mine.note) == (3000 * MIB, "")


def test_a_slice_has_a_peak_of_its_own(two: Driver, tmp_path: Path) -> None:
    two.has(gpu(A, parts=[part(0, 3, 12), part(1, 4, 12)]), listing=LISTING)
    with lease(tmp_path, SLICES[1]) as mine:
        two.has(gpu(A, parts=[part(0, 3, 9000), part(1, 4, 512)]), listing=LISTING)
        wait_for(mine, 500 * MIB)
        two.has(gpu(A, parts=[part(0, 3, 9000), part(1, 4, 12)]), listing=LISTING)
    assert mine.peak_bytes == 500 * MIB
    assert mine.facts["devices"][0] == {
        "uuid": SLICES[1], "name": "NVIDIA RTX A5000 MIG 1g.20gb", "mig": True, "driver": "590.44.01", "cuda": "13.1",
        "memory_bytes": 19968 * MIB,
    }  # fmt: skip


def wait_for(mine: Lease, least: int) -> None:
    for _ in range(int(GENEROUS_S / 0.05)):
        if mine.peak_so_far() >= least:
            return
        threading.Event().wait(0.05)
    pytest.fail("the meter saw nothing")


def test_what_the_task_and_the_setting_say_decides(driver: Driver, tmp_path: Path) -> None:
    for asked, task in (("all", NONE), ("none", OPTIONAL)):
        with lease(tmp_path, asked, task=task) as mine:
            assert (mine.uuids, mine.facts, mine.notes) == ((), None, ())
    with lease(tmp_path, "auto") as mine:
        assert mine.facts == {"devices": [], "reason": "no NVIDIA GPU is visible on this machine", "passing": False}
    with pytest.raises(SandboxUnavailable, match="needs a GPU"), lease(tmp_path, "none", task=REQUIRED):
        pytest.fail("it ran")
    for asked, task in (("all", OPTIONAL), ("0", OPTIONAL), ("auto", REQUIRED)):
        with pytest.raises(SandboxUnavailable, match="no NVIDIA GPU"), lease(tmp_path, asked, task=task):
            pytest.fail("it ran")


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_somebody_puts_in_a_locks_place_is_refused_and_not_followed(
    two: Driver, tmp_path: Path, kind: str
) -> None:
    place, other = tmp_path / f"grader-gpu-{A}.lock", tmp_path / "other"
    if kind == "link":
        place.symlink_to(other)
    elif kind == "fifo":
        os.mkfifo(place)
    else:
        place.mkdir()
    with pytest.raises(SandboxUnavailable, match=r"grader-gpu-.*\.lock"), lease(tmp_path, A):
        pytest.fail("it was given out")
    assert not other.exists()


@pytest.mark.parametrize("text", ["", "[]", "{", json.dumps({"free_bytes": "x"})])
def test_a_mark_that_cannot_be_read_is_none(two: Driver, tmp_path: Path, text: str) -> None:
    (tmp_path / f"grader-gpu-{A}.aside").write_text(text)
    with ExitStack() as stack:
        assert stack.enter_context(lease(tmp_path, A)).uuids == (A,)
