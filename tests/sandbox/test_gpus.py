"""Which GPUs a machine has, and which of them a setting names."""

from __future__ import annotations

import pytest

from grader.config import load_settings
from grader.errors import SandboxUnavailable, UsageError
from grader.sandbox.gpus import MIB, list_gpus, select
from tests.sandbox.driver import LISTING, SLICES, A, B, Driver, driver, gpu, part, process

__all__ = ["driver"]


@pytest.fixture
def mixed(driver: Driver) -> Driver:
    """A GPU in two slices, and a whole one."""
    sliced = gpu(A, used=50, parts=[part(0, 3, 12), part(1, 4, 900)], processes=[process(77, instance="4")])
    driver.has(sliced, gpu(B, used=22437, processes=[process(9, "G"), process(10)]), listing=LISTING)
    return driver


def test_devices_have_name_driver_memory_and_users(driver: Driver) -> None:
    driver.has(gpu(A), gpu(B, used=22437, processes=[process(9, "G"), process(10)]))
    first, second = list_gpus()
    assert (first.index, first.uuid, first.name, first.driver, first.cuda) == (
        0, A, "NVIDIA RTX A5000", "590.44.01", "13.1",
    )  # fmt: skip
    assert (first.total_bytes, first.used_bytes, first.users) == (24564 * MIB, 4 * MIB, ())
    assert (second.index, second.used_bytes, second.users) == (1, 22437 * MIB, (10,))


def test_slices_take_the_place_of_their_gpu(mixed: Driver) -> None:
    found = list_gpus()
    assert [one.uuid for one in found] == [*SLICES, B]
    assert [(one.index, one.parent, one.used_bytes // MIB, one.users) for one in found[:2]] == [
        (0, A, 12, ()), (0, A, 900, (77,)),
    ]  # fmt: skip
    assert found[0].name == "NVIDIA RTX A5000 MIG 1g.20gb"


def test_a_gpu_in_mig_mode_without_slices_cannot_be_used(driver: Driver) -> None:
    driver.has(gpu(A, parts=["\n\t\t\tNone\n\t\t"]), gpu(B))
    assert [one.uuid for one in list_gpus()] == [B]


def test_a_slice_that_the_listing_does_not_name_cannot_be_used(driver: Driver) -> None:
    driver.has(gpu(A, parts=[part(0, 3, 12), part(1, 4, 12)]), listing="\n".join(LISTING.splitlines()[:2]))
    assert [one.uuid for one in list_gpus()] == [SLICES[0]]


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("auto", [*SLICES, B]),
        ("all", [*SLICES, B]),
        ("1", [B]),
        ("0", list(SLICES)),
        (f"1,{SLICES[1]}", [B, SLICES[1]]),
        (f"{B},1", [B]),
    ],
)
def test_a_setting_names_devices_by_index_and_uuid(mixed: Driver, asked: str, given: list[str]) -> None:
    assert load_settings(flags={"gpus": asked}).gpus == asked
    assert [one.uuid for one in select(asked, list_gpus())] == given


@pytest.mark.parametrize("asked", ["2", A, "0,2"])
def test_a_device_that_is_not_there_names_those_that_are(mixed: Driver, asked: str) -> None:
    with pytest.raises(SandboxUnavailable, match=rf"there is no GPU .*this machine has: 0 .*, 1 \({B}\)"):
        select(asked, list_gpus())


@pytest.mark.parametrize("asked", ["", "first", "0,", "GPU-", "GPU-1 ", "gpu-1", "GPU-../x", "0;1", "auto,0", "none,0"])
def test_what_is_no_device_is_refused(asked: str) -> None:
    with pytest.raises(UsageError, match="indices and UUIDs"):
        load_settings(flags={"gpus": asked})


@pytest.mark.parametrize(
    "body",
    [
        "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'; exit 9",
        "echo 'No devices were found'; exit 6",
        "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18",
        "echo",
        'echo \'<?xml version="1.0" ?><nvidia_smi_log><gpu id="1"><uuid>GPU-1</uuid>\'',
        "printf '\\377\\376'",
    ],
)
def test_a_driver_that_lists_nothing_counts_as_none(driver: Driver, body: str) -> None:
    driver.script(body)
    assert list_gpus() == []


def test_a_machine_without_a_driver_has_none(driver: Driver) -> None:
    assert list_gpus() == []


def test_a_driver_that_hangs_is_said_in_one_line(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    driver.script("exec sleep 60")
    monkeypatch.setattr("grader.sandbox.gpus.TIMEOUT_S", 0.1)
    with pytest.raises(SandboxUnavailable, match="does not answer within 0.1 s"):
        list_gpus()
