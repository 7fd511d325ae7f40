"""How many jobs run at a time, and that no two slots share what is theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.batch.slots import default_count, make_slots, share_out
from grader.config import Settings
from grader.errors import SandboxUnavailable, UsageError
from tests.samples import TASK
from tests.sandbox.driver import Driver, driver, gpu

__all__ = ["driver"]

GIB = 1024**3


@pytest.mark.parametrize(
    ("cores", "free", "gpus", "count"),
    [(8, 64 * GIB, None, 8), (8, 7 * GIB, None, 2), (8, 64 * GIB, 1, 1), (1, 64 * GIB, None, 1), (8, GIB, None, 1)],
)
def test_default_follows_the_scarcest_of_cores_memory_and_gpus(
    cores: int, free: int, gpus: int | None, count: int
) -> None:
    assert default_count(cores, free, 2 * GIB, gpus) == count


def test_shares_of_cores_are_equal_and_disjoint() -> None:
    assert share_out([0, 1, 2, 3, 4], 2) == [(0, 1), (2, 3)]
    assert share_out([4, 6], 2) == [(4,), (6,)]
    assert share_out([0, 1], 4) == [(0,), (1,), (0,), (1,)]
    assert share_out([0, 1], 1) == [()]


def test_there_are_no_more_slots_than_devices_and_a_job_takes_any_that_is_free(driver: Driver) -> None:
    driver.has(gpu("GPU-0"), gpu("GPU-1"), gpu("GPU-2"), gpu("GPU-3"))
    task = replace(TASK, gpu="optional")
    assert [slot.gpus for slot in make_slots(2, [task], Settings(gpus="1,GPU-3"))] == ["1,GPU-3"] * 2
    with pytest.raises(UsageError, match="3 slots need 3 GPUs, and 2"):
        make_slots(3, [task], Settings(gpus="1,GPU-3"))
    assert len(make_slots(3, [TASK], Settings(gpus="0"))) == 3, "the task uses none"


def test_where_there_is_no_device_auto_runs_as_without_and_the_rest_is_refused(driver: Driver) -> None:
    task = replace(TASK, gpu="optional")
    assert [slot.gpus for slot in make_slots(3, [task], Settings(gpus="auto"))] == ["auto"] * 3
    with pytest.raises(SandboxUnavailable, match="no NVIDIA GPU"):
        make_slots(3, [task], Settings(gpus="all"))
