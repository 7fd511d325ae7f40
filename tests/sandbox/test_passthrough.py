"""How a device reaches a container: what is asked of the engine, and what one without GPUs answers."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from grader.errors import ExitCode, SandboxUnavailable
from grader.model import Json, Limits
from grader.sandbox import backend, passthrough, profile
from grader.sandbox.passthrough import names_all, offered, ways
from grader.sandbox.protocol import SandboxRequest
from tests.sandbox.driver import A, B, Driver, driver, gpu
from tests.typed import Typed

__all__ = ["driver"]

SPEC = f"""---
cdiVersion: 0.5.0
kind: nvidia.com/gpu
containerEdits:
  env:
    - NVIDIA_VISIBLE_DEVICES=void
devices:
  - name: "0"
    containerEdits:
      deviceNodes:
        - path: /dev/nvidia0
  - name: {A}
    containerEdits:
      deviceNodes:
        - path: /dev/nvidia0
"""


# --- what the engine says that it can -------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        ({"Runtimes": {"runc": {}}}, []),
        ({"Runtimes": {"runc": {}, "nvidia": {}}, "CDISpecDirs": []}, ["hook"]),
        ({"Runtimes": {}, "DiscoveredDevices": [{"Source": "cdi", "ID": f"nvidia.com/gpu={A}"}]}, ["cdi"]),
        ({"Runtimes": {}, "DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]}, []),
        ({"Runtimes": {"nvidia": {}}, "DiscoveredDevices": None, "CDISpecDirs": ["{dir}"]}, ["cdi", "hook"]),
    ],
)
def test_cdi_goes_first_where_the_engine_names_the_device(
    tmp_path: Path, driver: Driver, info: Json, expected: list[str]
) -> None:
    (tmp_path / "nvidia.yaml").write_text(SPEC)
    info = info | {"CDISpecDirs": [part.format(dir=tmp_path) for part in info.get("CDISpecDirs", [])]}
    assert ways(info, [A]) == expected


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (SPEC, True),
        (json.dumps({"kind": "nvidia.com/gpu", "devices": [{"name": A}]}), True),
        (SPEC.replace("nvidia.com/gpu", "amd.com/gpu"), False),
        (SPEC.replace(A, B), False),
        (SPEC.replace(A, f"{A}-1"), False),
        ("\0", False),
    ],
)
def test_a_specification_must_name_the_device_itself(tmp_path: Path, text: str, *, names: bool) -> None:
    (tmp_path / ("nvidia.json" if text.startswith("{") else "nvidia.yaml")).write_text(text)
    assert names_all({"CDISpecDirs": [str(tmp_path), "/no/such/folder"]}, [A]) is names
    assert not names_all({"CDISpecDirs": [str(tmp_path)]}, [A, B])


def test_an_old_toolkit_is_refused_and_auto_does_without(driver: Driver) -> None:
    driver.has(gpu(A))
    tool = driver.folder / "nvidia-ctk"
    tool.write_text("#!/bin/sh\necho 'NVIDIA Container Toolkit CLI version 1.17.7'\necho 'commit: 0'\n")
    tool.chmod(0o755)
    with pytest.raises(SandboxUnavailable, match=r"toolkit 1\.17\.7 does not isolate .*install 1\.17\.8"):
        offered("all", "docker")
    assert "1.17.7" in offered("auto", "docker").reason
    assert [one.uuid for one in offered("all", "process").devices] == [A]


@pytest.mark.parametrize(
    ("says", "version"), [("NVIDIA Container Toolkit CLI version 1.18.0-rc.1", (1, 18, 0)), ("", None)]
)
def test_the_toolkits_version_is_read_where_it_says_it(
    driver: Driver, says: str, version: tuple[int, ...] | None
) -> None:
    assert passthrough.toolkit_version() is None
    tool = driver.folder / "nvidia-ctk"
    tool.write_text(f"#!/bin/sh\necho '{says}'\n")
    tool.chmod(0o755)
    assert passthrough.toolkit_version() == version


# --- what is asked of it --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cdi", "expected"),
    [
        (False, {"Driver": "", "Count": 0, "DeviceIDs": [A], "Capabilities": [["gpu", "compute", "utility"]]}),
        (True, {"Driver": "cdi", "Count": 0, "DeviceIDs": [f"nvidia.com/gpu={A}"], "Capabilities": []}),
    ],
)
def test_the_sdk_makes_the_request_of_the_engines_interface(*, cdi: bool, expected: Json) -> None:
    import docker

    request = SandboxRequest(run_id="x", limits=Limits(), gpus=(A,), cdi=cdi)
    api = docker.APIClient(base_url="unix:///no.sock", version="1.41")
    config = api.create_host_config(**profile.host_config(request))
    (asked,) = config["DeviceRequests"]
    assert {name: asked[name] or [] if name == "Capabilities" else asked[name] for name in expected} == expected
    assert not asked["Options"]
    assert ("NVIDIA_DRIVER_CAPABILITIES" in profile.environment(request)) is not cdi


@dataclass
class Tap:
    """A socket that passes everything on to the engine's own, and keeps what was asked."""

    path: Path
    asked: bytearray = field(default_factory=bytearray)

    def created(self) -> Json:
        """The body of the request that creates a container."""
        _, _, rest = bytes(self.asked).partition(b"/containers/create")
        head, _, body = rest.partition(b"\r\n\r\n")
        size = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        found: Json = json.loads(body[:size])
        return found


@pytest.fixture
def tap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tap]:
    engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
    found = Tap(tmp_path / "tap.sock")
    with socket.socket(socket.AF_UNIX) as server, ThreadPoolExecutor(max_workers=64) as threads:
        server.bind(str(found.path))
        server.listen()
        threads.submit(_serve, server, engine, found, threads)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{found.path}")
        yield found
        server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, engine: str, tap: Tap, threads: ThreadPoolExecutor) -> None:
    while True:
        near, _ = server.accept()
        far = socket.socket(socket.AF_UNIX)
        far.connect(engine)
        threads.submit(_pass_on, near, far, tap.asked)
        threads.submit(_pass_on, far, near, bytearray())


def _pass_on(source: socket.socket, target: socket.socket, keep: bytearray) -> None:
    """Until either side ends; the end is passed on."""
    with source, suppress(OSError):
        while data := source.recv(65536):
            keep += data
            target.sendall(data)
        target.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def bare_engine(sandbox_image: str) -> str:
    """The image's tag, on an engine that cannot pass a GPU through."""
    from grader.sandbox.container import connect

    with closing(connect()) as client:
        if ways(client.info(), [A]):
            pytest.skip("this engine has the toolkit")
    return sandbox_image


@pytest.mark.docker
def test_the_request_reaches_the_engine_and_its_refusal_is_one_line(bare_engine: str, tap: Tap) -> None:
    request = SandboxRequest(run_id="test-gpus", limits=Limits(), image=bare_engine, gpus=(A,))
    with pytest.raises(SandboxUnavailable) as caught:
        backend("docker").start(request)
    text = str(caught.value)
    assert 'could not select device driver "" with capabilities: [[gpu compute utility]]' in text
    assert text.endswith("(the engine has no GPU runtime: install the NVIDIA container toolkit, or use `--gpus none`)")
    assert "\n" not in text
    host = tap.created()["HostConfig"]
    assert host["DeviceRequests"] == [
        {"Driver": "", "Count": 0, "DeviceIDs": [A], "Capabilities": [["gpu", "compute", "utility"]], "Options": {}}
    ]
    assert {"Name": "memlock", "Soft": -1, "Hard": -1} in host["Ulimits"]


@pytest.mark.docker
def test_a_command_says_it_and_auto_says_why_it_does_without(
    bare_engine: str, driver: Driver, typed: Typed, make_task: Callable[..., Path], make_folder: Callable[..., Path]
) -> None:
    driver.has(gpu(A))
    where: list[Any] = ["--tasks-dir", make_task("toy").parent, "--image", bare_engine]
    result = typed("grade", make_folder("ada", {"toy.py": "x = 1\n"}), *where, "--gpus", "0", "--quiet")
    assert result.code == ExitCode.SANDBOX_UNAVAILABLE
    (line,) = result.err.splitlines()
    assert "could not select device driver" in line
    assert "install the NVIDIA container toolkit" in line
    offer = offered("auto", "docker")
    assert (offer.devices, offer.reason) == ((), "the engine has no GPU runtime")
