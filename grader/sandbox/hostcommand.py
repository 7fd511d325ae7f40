"""Run a tool of the host (pip, debootstrap, tar) with a deadline while its lines are shown.

Only set-up uses this. Nothing that a candidate sent ever reaches a command line here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import IO

from grader.errors import SandboxUnavailable

Progress = Callable[[str], None]

_TAIL_LINES = 8
_REAP_S = 10.0


def run_command(argv: Sequence[str], *, progress: Progress, timeout_s: float, what: str, hint: str) -> None:
    """Run `argv` to its end, each line of its output to `progress`.

    Raises SandboxUnavailable with the last lines when it cannot start, fails or exceeds `timeout_s`; all the
    processes that it started are gone then.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"{what} cannot start: {error}", hint=hint) from error
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    assert process.stdout is not None
    reader = threading.Thread(target=_forward, args=(process.stdout, progress, tail), daemon=True)
    reader.start()
    status = _wait(process, timeout_s)
    reader.join(_REAP_S)
    if status is None:
        raise SandboxUnavailable(f"{what} did not finish within {timeout_s:.0f} s", hint=hint)
    if status != 0:
        raise SandboxUnavailable(f"{what} failed with status {status}: {' | '.join(tail)}", hint=hint)


def _forward(lines: IO[str], progress: Progress, tail: deque[str]) -> None:
    with lines:
        for line in lines:
            if text := line.strip():
                tail.append(text)
                progress(text)


def _wait(process: subprocess.Popen[str], timeout_s: float) -> int | None:
    """The exit status, or None where the deadline passed; kills the whole process group on the way out."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(_REAP_S)
