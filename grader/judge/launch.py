"""Starts a judge process for a job and collects what it reports.

The process is ours, so a judge that dies or overruns its time is our failure, never the candidate's: the task
is ungraded. Killing it is safe at any moment; its container is then reaped by label.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

import psutil

from grader import errors
from grader.errors import GraderError, Ungraded
from grader.judge.job import (
    SCRATCH_PREFIX,
    Job,
    artifact_from_json,
    check_from_json,
    diagnosis_from_json,
    facts_from_json,
)
from grader.model import ArtifactFile, CheckResult, Json, Resources, TaskResult, TaskStatus

GRACE_S: Final = 360.0
STOP_S: Final = 10.0
LOG_BYTES: Final = 4000
MAX_PID_DIGITS: Final = 9
"""A longer number is no process, and more than the system call takes; anybody may make such a folder."""
ENVIRONMENT: Final = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY",
    "DOCKER_CERT_PATH", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
)  # fmt: skip

OnCheck = Callable[[CheckResult], None]


def run_judge(job: Job, on_check: OnCheck | None = None, cancelled: threading.Event | None = None) -> TaskResult:
    """Grades one task; stops soon after `cancelled` is set.

    Raises TaskBroken, SandboxUnavailable (and its kinds) and Ungraded.
    """
    started = time.monotonic()
    reader, writer = os.pipe()
    scratch = tempfile.TemporaryDirectory(prefix=_scratch_prefix(os.getpid()), ignore_cleanup_errors=True)
    with tempfile.TemporaryFile() as log, scratch as folder:  # a judge that is killed leaves its files to us
        process = _start(job, writer, log, folder)
        os.close(writer)
        collected = _Collected(on_check)
        try:
            deadline = started + job.task.limits.task_wall_s + GRACE_S
            _collect(reader, process, collected, deadline, cancelled or threading.Event())
        finally:
            os.close(reader)
            _stop(process)
        if not collected.done:
            raise Ungraded(f"the judge of task {job.task.id} ended early: {_tail(log)}", hint="run it again")
    return _result(job, collected, time.monotonic() - started)


def sweep() -> None:
    """Removes the scratch folders of processes that were killed before they had a judge to do it."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH_PREFIX}*-*-*"):
        pid = folder.name.removeprefix(SCRATCH_PREFIX).split("-")[1]
        mine = pid.isdigit() and len(pid) <= MAX_PID_DIGITS and folder.name.startswith(_scratch_prefix(int(pid)))
        if mine and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _scratch_prefix(pid: int) -> str:
    """Names who made a folder: containers may share /tmp, and a process id means something within one only."""
    space = Path("/proc/self/ns/pid")
    return f"{SCRATCH_PREFIX}{space.stat().st_ino if space.exists() else 0}-{pid}-"


class _Collected:
    """The events of one judge."""

    def __init__(self, on_check: OnCheck | None) -> None:
        self._on_check = on_check
        self.checks: list[CheckResult] = []
        self.artifacts: list[ArtifactFile] = []
        self.error: GraderError | None = None
        self.final: Json = {}

    @property
    def done(self) -> bool:
        """True once the judge said its last word."""
        return bool(self.final)

    def take(self, line: bytes) -> None:
        """Takes one event."""
        event: dict[str, Any] = json.loads(line)
        if event["event"] == "check":
            self.checks.append(check_from_json(event["check"]))
            if self._on_check:
                self._on_check(self.checks[-1])
        elif event["event"] == "artifact":
            self.artifacts.append(artifact_from_json(event["artifact"]))
        elif event["event"] == "error":
            kind = getattr(errors, event["kind"], Ungraded)
            self.error = kind(event["message"], hint=event["hint"])
        else:
            self.final = event


def _start(job: Job, writer: int, log: IO[bytes], folder: str) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    process = subprocess.Popen(  # our own interpreter with arguments of our own
        [sys.executable, "-I", "-B", "-X", "utf8", "-m", "grader.judge", str(writer), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        pass_fds=(writer,),
        env={**environment, **threads, "TMPDIR": folder, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        start_new_session=True,  # Ctrl-C reaches us alone; we end the judge in order
    )
    with contextlib.suppress(BrokenPipeError):  # a judge that died at once is noticed by its silence
        if process.stdin:
            process.stdin.write(json.dumps(job.to_json()).encode() + b"\n")
            process.stdin.flush()  # and left open: its end tells the judge that we are gone
    return process


def _collect(
    reader: int, process: subprocess.Popen[bytes], collected: _Collected, deadline: float, cancelled: threading.Event
) -> None:
    buffer = bytearray()
    while time.monotonic() < deadline:
        if cancelled.is_set():
            raise Ungraded("interrupted")
        if not select.select([reader], [], [], 1.0)[0]:
            if process.poll() is not None:
                return
            continue
        data = os.read(reader, 1024**2)
        if not data:
            return
        buffer += data
        *lines, rest = bytes(buffer).split(b"\n")
        buffer = bytearray(rest)
        for line in lines:
            collected.take(line)
    raise Ungraded("the judge overran its time", hint="the engine or the machine may be overloaded; run it again")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ends the judge, which closes its sandbox in order unless it has to be killed."""
    with contextlib.suppress(OSError):
        if process.stdin:
            process.stdin.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(0.5 if process.poll() is None else 0)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)


def _tail(log: IO[bytes]) -> str:
    size = log.seek(0, os.SEEK_END)
    log.seek(max(0, size - LOG_BYTES))
    lines = log.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no word from it"


def _result(job: Job, collected: _Collected, wall_s: float) -> TaskResult:
    if collected.error is not None:
        raise collected.error
    broken = [check for check in collected.checks if check.outcome.ours]
    final = collected.final
    return TaskResult(
        task=job.task,
        status=TaskStatus.UNGRADED if broken else TaskStatus.GRADED,
        checks=tuple(collected.checks),
        resources=Resources(
            wall_s=round(wall_s, 3), cpu_s=round(final["cpu_s"], 3), max_rss_bytes=int(final["max_rss_bytes"])
        ),
        facts=facts_from_json(final["facts"]),
        reason=f"check {broken[0].spec.id}: {broken[0].message}" if broken else "",
        diagnosis=tuple(diagnosis_from_json(row) for row in final["diagnosis"]),
        artifacts=tuple(collected.artifacts),
        notes=tuple(final["notes"]),
    )
