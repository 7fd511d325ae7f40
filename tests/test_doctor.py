"""The doctor's findings, against the real engine where there is one, and against answers of ill machines."""

from __future__ import annotations

import gc
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import docker
from docker import DockerClient
from grader import doctor
from grader.doctor import Need, run_checks
from tests.sandbox.driver import A, Driver, driver, gpu

__all__ = ["driver"]

HEALTHY = {
    "ServerVersion": "28.0.1",
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin"],
    "MemoryLimit": True,
    "SwapLimit": True,
    "PidsLimit": True,
    "CpuCfsQuota": True,
    "CgroupVersion": "2",
    "Runtimes": {"runc": {}, "nvidia": {}},
    "DockerRootDir": "/",
}


class Engine:
    """Answers `info` and `version` as told and has no image at all."""

    def __init__(self, info: dict[str, Any], runc: str = "1.2.8", name: str = "Engine") -> None:
        self._info, self._runc, self._name, self.closed = info, runc, name, False
        self.images = self

    def info(self) -> dict[str, Any]:
        return self._info

    def version(self) -> dict[str, Any]:
        return {"Components": [{"Name": self._name, "Version": "28.0.1"}, {"Name": "runc", "Version": self._runc}]}

    def get(self, name: str) -> None:
        raise docker.errors.ImageNotFound(name)

    def list(self, name: str) -> list[Any]:
        assert name
        return []

    def close(self) -> None:
        self.closed = True


def diagnose(engine: Engine, *, gpu: bool = False) -> dict[str, Need]:
    connect = cast("Callable[[], DockerClient]", lambda: engine)
    return {need.name: need for need in run_checks(gpu=gpu, connect=connect)}


def test_a_healthy_engine_lacks_only_the_image() -> None:
    engine = Engine(HEALTHY)
    needs = diagnose(engine)
    assert [need.name for need in needs.values() if not need.ok] == ["image"]
    assert needs["image"].fix == "grader image build"
    assert engine.closed


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("seccomp", {"SecurityOptions": ["name=apparmor"]}),
        ("limits", {"PidsLimit": False}),
        ("limits", {"SwapLimit": False}),
        ("gpu", {"Runtimes": {"runc": {}}}),
    ],
)
def test_a_missing_ability_is_found_with_its_remedy(name: str, change: dict[str, Any]) -> None:
    need = diagnose(Engine(HEALTHY | change))[name]
    assert not need.ok
    assert need.fix
    assert "\n" not in need.detail


def test_the_socket_of_podman_is_no_engine_that_grades() -> None:
    need = diagnose(Engine(HEALTHY, name="Podman Engine"))["engine"]
    assert not need.ok
    assert need.required
    assert need.detail.startswith("Podman 28.0.1: its compatible socket cannot isolate as asked")


def test_a_rootless_engine_is_told_what_its_limits_need() -> None:
    """As Docker 20.10 says of itself without root, where control groups are of version 1."""
    unlimited = dict.fromkeys(("MemoryLimit", "SwapLimit", "PidsLimit", "CpuCfsQuota"), False)
    rootless = {"SecurityOptions": ["name=seccomp,profile=default", "name=rootless"], "CgroupVersion": "1"}
    needs = diagnose(Engine(HEALTHY | unlimited | rootless))
    assert needs["engine"].detail == "Docker 28.0.1 (rootless)"
    assert not needs["limits"].ok
    assert "version 2" in needs["limits"].fix


def test_an_engine_on_another_machine_is_not_asked_for_its_disk(tmp_path: Path) -> None:
    assert diagnose(Engine(HEALTHY | {"DockerRootDir": str(tmp_path / "elsewhere")}))["disk"].ok


def test_a_full_disk_matters_before_the_image_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MIN_FREE_BYTES", 2**62)
    need = diagnose(Engine(HEALTHY))["disk"]
    assert not need.ok
    assert need.required


def test_an_old_runc_is_a_warning() -> None:
    need = diagnose(Engine(HEALTHY, runc="1.1.5+ds1"))["runc"]
    assert not need.ok
    assert not need.required


def test_a_gpu_is_required_only_where_it_is_asked_for() -> None:
    without = Engine(HEALTHY | {"Runtimes": {}})
    assert not diagnose(without)["gpu"].required
    needs = diagnose(without, gpu=True)
    assert needs["gpu"].required
    assert needs["image"].fix == "grader image build --gpu"


@pytest.mark.parametrize(
    ("change", "toolkit", "words"),
    [
        ({}, "1.18.0", ("passes devices through (hook)", A)),
        ({"DiscoveredDevices": [{"ID": f"nvidia.com/gpu={A}"}]}, "1.18.0", ("(cdi/hook)",)),
        ({"Runtimes": {"runc": {}}}, "1.18.0", ("no GPU runtime", A)),
        ({}, "1.17.7", ("1.17.7 does not isolate", "1.17.8 does")),
    ],
)
def test_a_gpu_needs_a_device_a_way_and_a_sound_toolkit(
    driver: Driver, change: dict[str, Any], toolkit: str, words: tuple[str, ...]
) -> None:
    driver.has(gpu(A))
    tool = driver.folder / "nvidia-ctk"
    tool.write_text(f"#!/bin/sh\necho 'NVIDIA Container Toolkit CLI version {toolkit}'\n")
    tool.chmod(0o755)
    need = diagnose(Engine(HEALTHY | change))["gpu"]
    assert need.ok is (need.fix == "") is ("passes" in need.detail)
    for word in words:
        assert word in need.detail


def test_a_driver_that_hangs_does_not_hang_the_doctor(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.sandbox.gpus.TIMEOUT_S", 0.1)
    driver.script("exec sleep 60")
    need = diagnose(Engine(HEALTHY))["gpu"]
    assert (need.ok, need.fix) == (False, "nvidia-smi")
    assert "does not answer" in need.detail


def test_no_engine_is_one_line_with_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    needs = run_checks()
    assert [need.name for need in needs] == ["python", "torch", "engine"]
    assert not needs[-1].ok
    assert needs[-1].fix == "docker/engine.sh"
    assert not doctor.healthy(needs)


@pytest.fixture
def silent_engine(tmp_path: Path) -> Iterator[str]:
    """A socket that accepts connections and never answers."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        yield f"unix://{path}"


# The SDK does not close the connection over which its constructor failed; collect it here, not in another test.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_engine_that_never_answers_is_given_up(silent_engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ENGINE_TIMEOUT_S", 0.2)
    monkeypatch.setenv("DOCKER_HOST", silent_engine)
    assert not run_checks()[-1].ok
    gc.collect()


@pytest.mark.docker
def test_the_engine_of_this_machine_is_described() -> None:
    client = docker.from_env()
    try:
        version = client.version()["Version"]
    except docker.errors.DockerException:
        pytest.skip("no Docker engine answers")
    finally:
        client.close()
    needs = {need.name: need for need in run_checks()}
    assert needs["engine"].ok
    assert version in needs["engine"].detail
    assert needs["seccomp"].ok
    assert needs["limits"].ok


def test_an_engine_that_does_not_answer_is_named_with_the_reason_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    need = next(need for need in run_checks() if need.name == "engine")
    assert need.detail == f"no Docker engine answers at unix://{tmp_path}/none.sock: No such file or directory"
