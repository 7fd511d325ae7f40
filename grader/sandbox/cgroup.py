"""What a container uses, read from its control group on the host (v1 or v2).

The files are the kernel's own accounts, children and dead processes included; nothing that runs inside
can write to them. Where the host's files are out of reach (an engine in a virtual machine or on another
host), the engine's own statistics serve instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from grader.sandbox.protocol import Usage

ROOT = Path("/sys/fs/cgroup")
AT_LIMIT = 0.9
"""Share of its limit that a group has used at least when its own limit makes the kernel kill.

Version 1 has a count of failed charges, which newer kernels (6.18) leave at 0.
"""


class Meter(Protocol):
    """Reads the use of one container."""

    def read(self) -> Usage:
        """The use so far. Raises OSError once the container's group is gone."""


@dataclass(frozen=True, slots=True)
class V1Meter:
    """Control groups version 1: one folder for each controller."""

    cpu: Path
    memory: Path
    pids: Path

    def read(self) -> Usage:
        """See Meter."""
        peak, limit = (int((self.memory / f"memory.{name}_in_bytes").read_text()) for name in ("max_usage", "limit"))
        return Usage(
            cpu_s=int((self.cpu / "cpuacct.usage").read_text()) / 1e9,
            peak_bytes=peak,
            current_bytes=int((self.memory / "memory.usage_in_bytes").read_text()),
            **_blamed(_field(self.memory / "memory.oom_control", "oom_kill"), at_limit=peak >= AT_LIMIT * limit),
            processes=int((self.pids / "pids.current").read_text()),
        )


@dataclass(frozen=True, slots=True)
class V2Meter:
    """Control groups version 2: one folder."""

    folder: Path

    def read(self) -> Usage:
        """See Meter; `memory.peak` exists from Linux 5.19 on."""
        peak, events = self.folder / "memory.peak", self.folder / "memory.events"
        current = int((self.folder / "memory.current").read_text())
        return Usage(
            cpu_s=_field(self.folder / "cpu.stat", "usage_usec") / 1e6,
            peak_bytes=int(peak.read_text()) if peak.exists() else current,
            current_bytes=current,
            **_blamed(_field(events, "oom_kill"), at_limit=_field(events, "oom") > 0),
            processes=int((self.folder / "pids.current").read_text()),
        )


@dataclass(frozen=True, slots=True)
class EngineMeter:
    """The engine's statistics, for hosts whose files we cannot read. Slower: some milliseconds a reading."""

    api: Any
    container: str

    def read(self) -> Usage:
        """See Meter."""
        stats = self.api.stats(self.container, stream=False, one_shot=True)
        memory = stats.get("memory_stats", {})
        if "usage" not in memory:
            raise OSError("the engine has no statistics for a container that is not running")
        return Usage(
            cpu_s=stats["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9,
            peak_bytes=int(memory.get("max_usage", memory["usage"])),
            current_bytes=int(memory["usage"]),
            oom_kills=0,
            processes=int(stats.get("pids_stats", {}).get("current", 0)),
        )


def find_meter(api: Any, container: str, pid: int) -> Meter:
    """The best meter for a running container whose first process is `pid` on the engine's host."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return EngineMeter(api, container)
    meter = _v1(lines) or _v2(lines)
    if meter is None or container not in "".join(lines):  # the same pid on this host is somebody else's
        return EngineMeter(api, container)
    try:
        meter.read()
    except (OSError, ValueError):
        return EngineMeter(api, container)
    return meter


def _v1(lines: list[str]) -> V1Meter | None:
    paths: dict[str, str] = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path.lstrip("/")
    if not {"cpuacct", "memory", "pids"} <= set(paths):
        return None
    return V1Meter(*(ROOT / name / paths[name] for name in ("cpuacct", "memory", "pids")))


def _v2(lines: list[str]) -> V2Meter | None:
    for line in lines:
        if line.startswith("0::"):
            return V2Meter(ROOT / line[3:].lstrip("/"))
    return None


def _blamed(kills: int, *, at_limit: bool) -> dict[str, int]:
    """The kernel counts all kills for memory in one number; `at_limit` says whether the group was ever at its own."""
    return {"oom_kills": kills, "host_kills": 0} if at_limit else {"oom_kills": 0, "host_kills": kills}


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0
