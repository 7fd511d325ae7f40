"""Processes that a session left behind. As PID 1 or subreaper the server becomes the parent of every orphan."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection
from pathlib import Path

SWEEP_S = 5.0


def sweep(keep: Collection[int]) -> None:
    """Kills all direct children of this process but those in `keep`, and waits for them.

    Repeats until none is left, because a process may fork while it is being killed.
    """
    deadline = time.monotonic() + SWEEP_S
    while time.monotonic() < deadline:
        if os.getpid() == 1 and not keep:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(-1, signal.SIGKILL)
        strays = [pid for pid in _children() if pid not in keep]
        for pid in strays:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)
        if not strays:
            return


def _children() -> list[int]:
    """Direct children, orphans included; [] where the system does not list them (macOS)."""
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:
        return []


def is_child(pid: int) -> bool:
    """True for a direct child of this process, and for any process where the system does not list them (macOS)."""
    return pid > 1 and (pid in _children() or not Path("/proc/self/task").exists())
