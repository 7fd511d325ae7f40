"""Finds and removes containers whose run is gone: by label, never by name.

A container is a leftover when the process that started it is no longer alive on this host, or when it is
past its own deadline. Runs that are still alive, ours or a colleague's on the same engine, are left alone.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from grader.sandbox.profile import LABEL


def owner() -> str:
    """Who starts a container: host, boot, process and its start time, so that a reused pid is not mistaken."""
    return f"{_host()}:{os.getpid()}:{int(psutil.Process().create_time())}"


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
    deadline = labels.get("grader.deadline", "")
    if deadline.isdigit() and time.time() > int(deadline):
        return True
    host, _, rest = labels.get("grader.owner", "").rpartition(":")[0].rpartition(":")
    if host != _host() or not rest.isdigit():
        return False
    try:
        started = int(psutil.Process(int(rest)).create_time())
    except psutil.Error:
        return True
    return str(started) != labels["grader.owner"].rpartition(":")[2]
