"""How many jobs run at a time, and that no two slots share what is theirs."""

from __future__ import annotations

import pytest

from grader.batch import slots
from grader.batch.slots import default_count, make_slots, share_out
from grader.config import Settings
from grader.errors import UsageError
from grader.sandbox.gpus import Gpu
from tests.samples import TASK

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


def test_each_slot_has_a_device_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    listed = [Gpu(index=n, uuid=f"GPU-{n}", name="A", driver="1") for n in (0, 1, 3)]
    monkeypatch.setattr(slots, "list_gpus", lambda: listed)
    task = replace(TASK, gpu="optional")
    assert [slot.gpus for slot in make_slots(2, [task], Settings(gpus="1,3"))] == ["1", "3"]
    with pytest.raises(UsageError, match="3 slots need 3 GPUs, and 2"):
        make_slots(3, [task], Settings(gpus="1,3"))
    assert [slot.gpus for slot in make_slots(3, [TASK], Settings(gpus="none"))] == ["none"] * 3
