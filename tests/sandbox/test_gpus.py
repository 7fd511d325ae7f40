"""Which GPUs a run gets, and what is said where there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import SandboxUnavailable
from grader.model import Limits
from grader.sandbox import backend
from grader.sandbox.gpus import choose_gpus, list_gpus
from grader.sandbox.protocol import SandboxRequest
from tests.samples import TASK

TWO = """0, GPU-aaaa, NVIDIA H200, 570.86
1, GPU-bbbb, NVIDIA H200, 570.86
"""
OPTIONAL, REQUIRED, NONE = (replace(TASK, gpu=gpu) for gpu in ("optional", "required", "none"))

Install = Callable[[str], None]


@pytest.fixture
def nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Puts a program of that name, and nothing else of a driver, on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def install(body: str) -> None:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    return install


@pytest.fixture
def two(nvidia_smi: Install) -> None:
    nvidia_smi(f"cat <<'END'\n{TWO}END")


@pytest.fixture
def no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


def test_devices_are_named_by_uuid(two: None) -> None:
    assert [gpu.uuid for gpu in list_gpus()] == ["GPU-aaaa", "GPU-bbbb"]
    assert list_gpus()[0].driver == "570.86"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("none", ()),
        ("auto", ("GPU-aaaa",)),
        ("all", ("GPU-aaaa", "GPU-bbbb")),
        ("0", ("GPU-aaaa",)),
        ("1", ("GPU-bbbb",)),
        ("1,0", ("GPU-bbbb", "GPU-aaaa")),
    ],
)
def test_the_setting_chooses_among_two(two: None, asked: str, given: tuple[str, ...]) -> None:
    assert choose_gpus(asked, OPTIONAL) == given


def test_a_task_without_a_gpu_gets_none(two: None) -> None:
    assert choose_gpus("all", NONE) == ()


def test_a_task_that_needs_one_refuses_none(two: None) -> None:
    with pytest.raises(SandboxUnavailable, match="needs a GPU"):
        choose_gpus("none", REQUIRED)


def test_an_index_that_is_not_there_names_those_that_are(two: None) -> None:
    with pytest.raises(SandboxUnavailable, match="there is no GPU 2 .this machine has: 0, 1"):
        choose_gpus("2", OPTIONAL)


def test_without_a_driver_auto_falls_back_and_the_rest_is_refused(no_driver: None) -> None:
    assert list_gpus() == []
    assert choose_gpus("auto", OPTIONAL) == ()
    for asked in ("all", "0"):
        with pytest.raises(SandboxUnavailable, match="no NVIDIA GPU"):
            choose_gpus(asked, OPTIONAL)
    with pytest.raises(SandboxUnavailable, match="no NVIDIA GPU"):
        choose_gpus("auto", REQUIRED)


@pytest.mark.parametrize(
    "body",
    ["exit 9", "echo 'NVIDIA-SMI has failed because it could not communicate with the driver'; exit 9", "echo",
     "echo 'No devices were found'"],
)  # fmt: skip
def test_a_driver_that_lists_nothing_counts_as_none(nvidia_smi: Install, body: str) -> None:
    nvidia_smi(body)
    assert list_gpus() == []


def test_a_driver_that_hangs_is_said_in_one_line(nvidia_smi: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    nvidia_smi("exec sleep 60")
    monkeypatch.setattr("grader.sandbox.gpus.TIMEOUT_S", 0.1)
    with pytest.raises(SandboxUnavailable, match="does not answer"):
        list_gpus()


@pytest.mark.docker
def test_an_engine_without_the_toolkit_refuses_a_gpu_in_one_line(sandbox_image: str) -> None:
    from contextlib import closing

    from grader.sandbox.container import connect

    with closing(connect()) as client:
        if "nvidia" in client.info().get("Runtimes", {}):
            pytest.skip("this engine has the toolkit")
    request = SandboxRequest(run_id="test-gpus", limits=Limits(), image=sandbox_image, gpus=("GPU-aaaa",))
    with pytest.raises(SandboxUnavailable) as caught:
        backend("docker").start(request)
    assert "NVIDIA container toolkit" in str(caught.value)
    assert "\n" not in str(caught.value)
