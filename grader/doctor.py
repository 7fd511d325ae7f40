"""What this machine needs before it can grade, and the command that mends what is missing.

Looks only: nothing is installed, built or started here. Every question to the engine has a deadline, because a
doctor that hangs is of no use on a machine that is ill.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.errors import SandboxUnavailable
from grader.sandbox.gpus import list_gpus
from grader.sandbox.image import find_image
from grader.sandbox.passthrough import INSTALL, MIN_TOOLKIT, toolkit_version, ways
from grader.text import sanitize_line

if TYPE_CHECKING:
    from docker import DockerClient

ENGINE_TIMEOUT_S = 10
MIN_PYTHON = (3, 11)
MIN_FREE_BYTES = 6 * 1000**3
"""Building the CPU image took 3.3 GB (image 1.2, build stage 1.5, wheels and archives 0.6); the rest is room."""
MIN_RUNC = (1, 1, 12)
"""First release without the leaked descriptor of CVE-2024-21626; distributions also patch older numbers."""

_LIMITS = {"MemoryLimit": "memory", "SwapLimit": "swap", "PidsLimit": "pids", "CpuCfsQuota": "cpu quota"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One thing that grading needs."""

    name: str
    ok: bool
    detail: str
    """What was found, one line."""
    fix: str = ""
    """The command that mends it; "" where it is ok."""
    required: bool = True
    """False where grading works without it."""


def run_checks(*, gpu: bool = False, connect: Callable[[], DockerClient] | None = None) -> list[Need]:
    """All needs in the order in which they should be mended; never raises for what it finds.

    `gpu` makes the GPU runtime and the GPU image required. `connect` gives the engine's client, by default the one
    that the environment names.
    """
    needs = [_python(), _torch()]
    try:
        client = (connect or _connect)()
    except Exception as error:  # noqa: BLE001 -- whatever the SDK or its transport raises, the engine does not answer
        return [*needs, _no_engine(error)]
    try:
        return needs + _engine_needs(client, gpu=gpu)
    finally:
        client.close()


def healthy(needs: list[Need]) -> bool:
    """True where every required need is met."""
    return all(need.ok for need in needs if need.required)


def _connect() -> DockerClient:
    import docker

    return docker.from_env(timeout=ENGINE_TIMEOUT_S)


def _python() -> Need:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info[:2] >= MIN_PYTHON
    return Need(name="python", ok=ok, detail=version, fix="" if ok else "make setup PYTHON=python3.11")


def _torch() -> Need:
    """By its metadata: importing torch takes a second and says no more."""
    try:
        return Need(name="torch", ok=True, detail=metadata.version("torch"))
    except metadata.PackageNotFoundError:
        return Need(name="torch", ok=False, detail="not installed; 'grader check' needs it", fix="make setup")


def _no_engine(error: Exception) -> Need:
    where = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    detail = f"no Docker engine answers at {sanitize_line(where, 120)}: {_reason(error)}"
    return Need(name="engine", ok=False, detail=detail, fix="docker/engine.sh")


def _reason(error: BaseException) -> str:
    """What the operating system said, from below the client's wrappings; else the outermost words."""
    waiting: list[object] = [error]
    for inner in waiting:  # grows while it is read; each error has few others inside
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        if isinstance(inner, BaseException) and len(waiting) < 50:
            waiting += [*inner.args, inner.__cause__, inner.__context__]
    return sanitize_line(str(error), 160)


def _engine_needs(client: DockerClient, *, gpu: bool) -> list[Need]:
    try:
        info: dict[str, Any] = client.info()
        versions: dict[str, Any] = client.version()
    except Exception as error:  # noqa: BLE001 -- as in run_checks
        return [_no_engine(error)]
    image = _image(client, gpu=gpu)
    checks = [_seccomp(info), _limits(info), _cgroup(info), _runc(versions), _disk(info, image_built=image.ok)]
    return [_engine(info, versions), *checks, image, _gpu(info, required=gpu)]


def _engine(info: dict[str, Any], versions: dict[str, Any]) -> Need:
    """Podman's socket speaks the protocol, but takes neither our system-call filter nor the limit of the tmpfs."""
    version, parts = info.get("ServerVersion", "?"), [part.get("Name") for part in versions.get("Components") or []]
    if "Podman Engine" in parts:
        detail = f"Podman {version}: its compatible socket cannot isolate as asked, so nothing is graded"
        return Need(name="engine", ok=False, detail=detail, fix="unset DOCKER_HOST, or let it name a Docker engine")
    return Need(name="engine", ok=True, detail=f"Docker {version}{' (rootless)' if _rootless(info) else ''}")


def _rootless(info: dict[str, Any]) -> bool:
    return "name=rootless" in (info.get("SecurityOptions") or [])


def _seccomp(info: dict[str, Any]) -> Need:
    ok = any("name=seccomp" in option for option in info.get("SecurityOptions") or [])
    detail = "the engine filters system calls" if ok else "the engine was built or started without seccomp"
    return Need(name="seccomp", ok=ok, detail=detail, fix="" if ok else "docker/engine.sh, on a kernel with seccomp")


def _limits(info: dict[str, Any]) -> Need:
    absent = [name for key, name in _LIMITS.items() if not info.get(key)]
    if not absent:
        return Need(name="limits", ok=True, detail="memory, swap, processes and CPU can be limited")
    fix = 'add "cgroup_enable=memory swapaccount=1" to the kernel command line and reboot'
    if _rootless(info):
        fix = "boot with control groups of version 2 and delegate them to the engine's user, or use an engine of root"
    return Need(name="limits", ok=False, detail=f"cannot be limited: {', '.join(absent)}", fix=fix)


def _cgroup(info: dict[str, Any]) -> Need:
    version = str(info.get("CgroupVersion") or "1")
    return Need(name="cgroup", ok=version in {"1", "2"}, detail=f"version {version}", required=False)


def _runc(versions: dict[str, Any]) -> Need:
    """A warning only: distributions mend old versions without changing their number."""
    reported = {part.get("Name"): str(part.get("Version")) for part in versions.get("Components") or []}
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", reported.get("runc", ""))
    if found is None:
        return Need(name="runc", ok=True, detail="version not reported", required=False)
    ok = tuple(int(part) for part in found.groups()) >= MIN_RUNC
    detail = reported["runc"] + ("" if ok else ": before 1.1.12, so safe only where the distribution patched it")
    return Need(name="runc", ok=ok, detail=detail, fix="" if ok else "apt-get install runc", required=False)


def _disk(info: dict[str, Any], *, image_built: bool) -> Need:
    root = Path(str(info.get("DockerRootDir") or "/"))
    if not root.exists():
        return Need(name="disk", ok=True, detail="the engine is on another machine", required=False)
    free = shutil.disk_usage(root).free
    ok = image_built or free >= MIN_FREE_BYTES
    detail = f"{free / 1000**3:.0f} GB free in {root}" + ("" if ok else f"; {MIN_FREE_BYTES // 1000**3} GB are needed")
    return Need(name="disk", ok=ok, detail=detail, fix="" if ok else "docker image prune")


def _image(client: DockerClient, *, gpu: bool) -> Need:
    try:
        image = find_image(client, gpu=gpu)
    except SandboxUnavailable as error:
        return Need(name="image", ok=False, detail=error.message, fix=error.hint.removeprefix("run: "))
    return Need(name="image", ok=True, detail=f"{image.tag}, {image.id[:19]}")


def _gpu(info: dict[str, Any], *, required: bool) -> Need:
    """The driver's devices, the engine's way to pass them on, the toolkit's age: the first of them that is missing."""
    try:
        found = list_gpus()
    except SandboxUnavailable as error:
        return Need(name="gpu", ok=False, detail=error.message, fix="nvidia-smi", required=required)
    way = "/".join(ways(info, [gpu.uuid for gpu in found]))
    seen = ", ".join(gpu.shown for gpu in found) or "no driver found"
    version = toolkit_version()
    if required and not found:
        detail = "no NVIDIA GPU is visible on this machine"
        return Need(name="gpu", ok=False, detail=detail, fix="apt-get install nvidia-driver", required=required)
    if not way:
        detail = f"the engine has no GPU runtime ({seen}); grading runs on the CPU"
        return Need(name="gpu", ok=False, detail=detail, fix=INSTALL, required=required)
    if version is not None and version < MIN_TOOLKIT:
        known, least = (".".join(map(str, row)) for row in (version, MIN_TOOLKIT))
        detail = f"the NVIDIA container toolkit {known} does not isolate (CVE-2025-23266); {least} does"
        fix = "apt-get install nvidia-container-toolkit"
        return Need(name="gpu", ok=False, detail=detail, fix=fix, required=required)
    return Need(name="gpu", ok=True, detail=f"the engine passes devices through ({way}): {seen}", required=required)
