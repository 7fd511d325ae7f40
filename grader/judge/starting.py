"""One judge process from our side: started with its job, told to go, and ended in order.

A judge starts its sandbox and collects its suite at once, and sends the submission into the sandbox only after `go`,
so it can be started ahead of need. The process is ours; killing it is safe at any moment, its container is then reaped
by label.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final, Protocol

import psutil

from grader.judge.job import SCRATCH_PREFIX, Job

GO: Final = b"go\n"
NO_MORE: Final = b"no more\n"
STOP_S: Final = 10.0
LOG_BYTES: Final = 4000
MAX_PID_DIGITS: Final = 9
"""A longer number is no process, and more than the system call takes; anybody may make such a folder."""
_KEPT: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
)  # fmt: skip


class Process(Protocol):
    """What is needed of a judge's process; `subprocess.Popen` has it."""

    def poll(self) -> int | None:
        """None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Waits for its end. Raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Raises ProcessLookupError where it has ended."""


Spawn = Callable[[int, int, IO[bytes], str], Process]
"""Starts a judge: its standard input, the descriptor for its events, its log, and its folder for temporary files."""


def interpreter(module: str, *arguments: str) -> list[str]:
    """The command line of a process of ours: nothing of the user's settings or of the current folder is imported."""
    return [sys.executable, "-I", "-B", "-X", "utf8", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """What a judge inherits of our environment."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, **threads, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def spawn(stdin: int, events: int, log: IO[bytes], folder: str) -> Process:
    """A judge in a new interpreter."""
    return subprocess.Popen(  # our own interpreter with arguments of our own
        interpreter("grader.judge", str(events), str(os.getpid())),
        stdin=stdin,
        stdout=log,
        stderr=log,
        pass_fds=(events,),
        env={**environment(), "TMPDIR": folder},
        start_new_session=True,  # Ctrl-C reaches us alone; we end the judge in order
    )


class StartedJudge:
    """A judge that has its job. Close it, whatever happens: that ends it and removes what it left."""

    def __init__(self, job: Job, how: Spawn = spawn) -> None:
        with contextlib.ExitStack() as stack:
            folder = tempfile.TemporaryDirectory(prefix=scratch_prefix(os.getpid()), ignore_cleanup_errors=True)
            scratch = stack.enter_context(folder)  # a judge that is killed leaves its files to us
            self._log: IO[bytes] = stack.enter_context(tempfile.TemporaryFile())
            (self.events, written), (read, tell) = os.pipe(), os.pipe()
            stack.callback(os.close, self.events)
            self._tell = os.fdopen(tell, "wb")
            stack.callback(self._hang_up)
            with os.fdopen(written, "wb") as events, os.fdopen(read, "rb") as stdin:
                self.process = how(stdin.fileno(), events.fileno(), self._log, scratch)
            self._say(json.dumps(job.to_json()).encode() + b"\n")
            self._ends = stack.pop_all()

    def _say(self, line: bytes) -> None:
        with contextlib.suppress(BrokenPipeError):  # a judge that died at once is noticed by its silence
            self._tell.write(line)
            self._tell.flush()  # and left open: its end tells the judge that we are gone

    def go(self) -> None:
        """From now on it may send the submission into its sandbox."""
        self._say(GO)

    def turn(self, number: int) -> None:
        """It is to run this group of checks next."""
        self._say(b"%d\n" % number)

    def no_more(self) -> None:
        """Nothing is left to do: it may say its last word."""
        self._say(NO_MORE)

    def tail(self) -> str:
        """The last line that it logged."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - LOG_BYTES))
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "no word from it"

    def end(self) -> None:
        """Ends the judge, which closes its sandbox in order unless it has to be killed; its log can still be read."""
        self._hang_up()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.5 if self.process.poll() is None else 0)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    self.process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(STOP_S)

    def close(self) -> None:
        """Ends it, and removes what it left."""
        self.end()
        self._ends.close()

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):  # what a dead judge did not read
            self._tell.close()


def sweep() -> None:
    """Removes the scratch folders of processes that were killed before they had a judge to do it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*-*-*"):
        pid = folder.name.removeprefix(SCRATCH_PREFIX).split("-")[1]
        mine = pid.isdigit() and len(pid) <= MAX_PID_DIGITS and folder.name.startswith(scratch_prefix(int(pid)))
        if mine and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def scratch_prefix(pid: int) -> str:
    """Names who made a folder: containers may share /tmp, and a process id means something within one only."""
    space = Path("/proc/self/ns/pid")
    return f"{SCRATCH_PREFIX}{space.stat().st_ino if space.exists() else 0}-{pid}-"
