"""Finds and removes containers whose run is gone: by label, never by name.

A container is a leftover when the process that started it is no longer alive on this host, or when it is
past its own deadline. Runs that are still alive, ours or a colleague's on the same engine, are left alone.
On this host nothing depends on the time of day: somebody may set the clock while a run is under way.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from grader.sandbox.profile import DEADLINE, LABEL, OWNER, UNTIL

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def owner() -> str:
    """Who starts a container: host, boot, process and its start time, so that a reused pid is not mistaken."""
    return f"{_host()}:{os.getpid()}:{_started(os.getpid())}"


def until(seconds: float) -> int:
    """The moment in so many seconds, on a clock that nobody sets; it counts from this host's start."""
    return int(time.clock_gettime(_CLOCK) + seconds)


def _started(pid: int) -> int:
    """When a process started, on no clock that can be set. Raises OSError or psutil.Error where there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if not Path("/proc/self/stat").exists():
        return int(psutil.Process(pid).create_time())  # not Linux
    return int(stat.read_text().rpartition(")")[2].split()[19])  # ticks since the host's start, see proc(5)


def _host() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return socket.gethostname()


def reap(client: Any, *, run_id: str = "") -> int:
    """Removes the leftovers, or every container of `run_id`; returns how many. Never raises."""
    removed = 0
    with contextlib.suppress(Exception):  # a reaper that fails must not fail the run; the next start reaps again
        wanted = f"{LABEL}={run_id}" if run_id else LABEL
        for row in client.api.containers(all=True, filters={"label": wanted}):
            if run_id or is_leftover(row.get("Labels") or {}):
                with contextlib.suppress(Exception):
                    client.api.remove_container(row["Id"], force=True, v=True)
                    removed += 1
    return removed


def is_leftover(labels: dict[str, str]) -> bool:
    """True where a container's labels say that nobody is waiting for it any more."""
    deadline, end = labels.get(DEADLINE, ""), labels.get(UNTIL, "")
    host, _, pid = labels.get(OWNER, "").rpartition(":")[0].rpartition(":")
    if host != _host():
        return deadline.isdigit() and time.time() > int(deadline)
    if end.isdigit() and time.clock_gettime(_CLOCK) > int(end):
        return True
    if not pid.isdigit():
        return False
    try:
        started = _started(int(pid))
    except (OSError, psutil.Error):
        return True
    return str(started) != labels[OWNER].rpartition(":")[2]
