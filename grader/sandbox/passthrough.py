"""How a device gets into a container on this engine, and whether it can: CDI where the engine names it, else the hook.

CDI (the Container Device Interface) is what the engine itself reads from a file; the older way runs NVIDIA's hook with
privileges for each container, and its worst faults were there. Both are asked for by UUID through the engine's API.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from grader.errors import SandboxUnavailable
from grader.model import Json
from grader.sandbox.gpus import Gpu, list_gpus, select
from grader.sandbox.profile import CDI_KIND
from grader.sandbox.protocol import SandboxRequest

HOOK: Final = "nvidia-container-runtime-hook"
MIN_TOOLKIT: Final = (1, 17, 8)
"""First release without CVE-2025-23266, a way out of the container through the hook's environment."""
TIMEOUT_S = 10.0
_SPEC_BYTES: Final = 4 * 1024**2
INSTALL: Final = "apt-get install nvidia-container-toolkit && nvidia-ctk runtime configure --runtime=docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The devices that jobs may have; none with the reason why they run on the CPU."""

    devices: tuple[Gpu, ...] = ()
    reason: str = ""


def offered(asked: str, backend: str) -> Offer:
    """What the setting `asked` comes to on this machine with that backend.

    Raises SandboxUnavailable where GPUs are asked for and cannot be had; `auto` goes without instead.
    """
    if asked == "none":
        return Offer()
    try:
        return Offer(devices=tuple(_usable(asked, backend)))
    except SandboxUnavailable as error:
        if asked != "auto":
            raise
        return Offer(reason=error.message)


def _usable(asked: str, backend: str) -> list[Gpu]:
    found = list_gpus()
    if not found:
        raise SandboxUnavailable(
            "no NVIDIA GPU is visible on this machine", hint="install the driver, or use `--gpus none` or `auto`"
        )
    chosen = select(asked, found)
    if backend == "docker":
        _require_toolkit()
        if asked == "auto":  # what is asked for by name is tried: an engine may know a way that it does not tell of
            _require_way([gpu.uuid for gpu in chosen])
    return chosen


def _require_toolkit() -> None:
    version = toolkit_version()
    if version is not None and version < MIN_TOOLKIT:
        message = f"the NVIDIA container toolkit {_dotted(version)} does not isolate (CVE-2025-23266)"
        raise SandboxUnavailable(message, hint=f"install {_dotted(MIN_TOOLKIT)} or later, or use `--gpus none`")


def _require_way(uuids: Sequence[str]) -> None:
    from grader.sandbox.container import connect

    with contextlib.closing(connect()) as client:
        if not ways(client.info(), uuids):
            raise SandboxUnavailable("the engine has no GPU runtime", hint=INSTALL)


def toolkit_version() -> tuple[int, ...] | None:
    """Of the toolkit on this machine; None where it is not here or does not say."""
    program = shutil.which("nvidia-ctk")
    if program is None:
        return None
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run([program, "--version"], capture_output=True, timeout=TIMEOUT_S, check=False)
        if found := re.search(rb"version (\d+)\.(\d+)\.(\d+)", done.stdout):
            return tuple(int(part) for part in found.groups())
    return None


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def ways(info: Json, uuids: Sequence[str]) -> list[str]:
    """How this engine can pass those devices through, best first: "cdi", "hook"; none where it cannot."""
    hook = "nvidia" in (info.get("Runtimes") or {}) or shutil.which(HOOK) is not None
    return [*(["cdi"] if names_all(info, uuids) else []), *(["hook"] if hook else [])]


def names_all(info: Json, uuids: Sequence[str]) -> bool:
    """True where the engine reads CDI specifications that name each device by its UUID.

    Newer engines list what they have found; from Docker 25 on they say where they look, and the files are read here.
    """
    wanted = [f"{CDI_KIND}={uuid}" for uuid in uuids]
    listed = info.get("DiscoveredDevices")
    if listed:
        return set(wanted) <= {str(row.get("ID")) for row in listed}
    texts = [text for text in _specifications(info.get("CDISpecDirs") or []) if CDI_KIND in text]
    named = [re.compile(rf"""name["']?:\s*["']?{re.escape(uuid)}(?![\w-])""") for uuid in uuids]
    return bool(named) and all(any(name.search(text) for text in texts) for name in named)


def _specifications(folders: Sequence[str]) -> list[str]:
    """The files, where the engine is on this machine."""
    texts = []
    for folder in map(Path, folders):
        for path in (*sorted(folder.glob("*.yaml")), *sorted(folder.glob("*.json"))):
            with contextlib.suppress(OSError), path.open("rb") as file:
                texts.append(file.read(_SPEC_BYTES).decode("utf-8", "replace"))
    return texts


def fitted(client: Any, request: SandboxRequest) -> SandboxRequest:
    """The request with the way that this engine has for its devices."""
    if not request.gpus:
        return request
    return replace(request, cdi=names_all(client.info(), request.gpus))
