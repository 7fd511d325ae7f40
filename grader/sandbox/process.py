"""The self-check's backend: the worker as a child process of the user's own.

It does NOT isolate: the code runs with the user's rights, as it would if the user ran it by hand. It
keeps limits, kills what is left over, and says `isolated: false` in every report.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import psutil

from grader.errors import SandboxUnavailable
from grader.model import Json, Limits, SandboxFacts
from grader.sandbox import stream
from grader.sandbox.protocol import Ending, SandboxRequest, Usage

LOG_BYTES: Final = 16 * 1024
KILL_S: Final = 3.0
CPU_FIELDS: Final = ("user", "system", "children_user", "children_system")
"""Own time and that of children already waited for; each child is counted once, before or after its end."""
KEPT_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
ALWAYS: Final = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8", "MPLBACKEND": "agg"}


class ProcessSandbox:
    """One worker process in a process group of its own, with a private folder that is removed at the end."""

    def __init__(self, request: SandboxRequest) -> None:
        self._request = request
        self._root = Path(tempfile.mkdtemp(prefix="grader-check-"))
        self._stream, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._peak = 0
        self._gone_cpu = 0.0
        self._over_memory = False
        try:
            self._process = subprocess.Popen(  # our own interpreter, and arguments of our own
                [sys.executable, "-P", "-X", "utf8", "-m", "grader.worker", json.dumps(self._options())],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._log,
                cwd=self._root,
                env=_environment(request),
                start_new_session=True,
            )
        except OSError as error:
            self._stream.close()
            raise SandboxUnavailable(f"cannot start a worker process: {error}") from error
        finally:
            theirs.close()
        self._stream.setblocking(False)
        self._watched = psutil.Process(self._process.pid)

    def _options(self) -> Json:
        limits = self._request.limits
        return {
            "root": str(self._root),
            "threads": limits.threads,
            "output_bytes": limits.output_bytes,
            "blob_bytes": limits.blob_bytes,
            "gpu": bool(self._request.gpus),
            "rlimits": _rlimits(limits),
        }

    def send(self, data: bytes, deadline: float) -> None:
        """See Sandbox."""
        stream.send(self._stream, data, deadline)

    def receive(self, timeout_s: float) -> bytes:
        """See Sandbox."""
        return stream.receive(self._stream, timeout_s, "the worker closed its end")

    def log(self) -> str:
        """See Sandbox."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - LOG_BYTES))
        return self._log.read(LOG_BYTES).decode("utf-8", "replace")

    def usage(self) -> Usage:
        """CPU time and memory of the worker and its descendants; a limit that the system cannot keep is kept here."""
        cpu = current = processes = 0.0
        family = self._family()
        for process in family:
            with contextlib.suppress(psutil.Error):
                with process.oneshot():
                    cpu += sum(getattr(process.cpu_times(), name, 0.0) for name in CPU_FIELDS)
                    current += _private_bytes(process)
                processes += 1
        if current > self._request.limits.memory_bytes:  # forks share what each of them seems to have alone
            current = sum(_share_of_bytes(process) for process in family)
        self._peak = max(self._peak, int(current))
        self._over_memory |= current > self._request.limits.memory_bytes
        self._gone_cpu = max(self._gone_cpu, cpu)  # a child that was reaped a moment ago may be missing from the sum
        return Usage(
            cpu_s=self._gone_cpu,
            peak_bytes=self._peak,
            current_bytes=int(current),
            processes=int(processes),
        )

    def _family(self) -> list[psutil.Process]:
        try:
            return [self._watched, *self._watched.children(recursive=True)]
        except psutil.Error:
            return []

    def ending(self) -> Ending:
        """See Sandbox."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        if self._over_memory:
            return Ending(reason="memory")
        return Ending(reason="exited", detail=f"the worker ended with {self._process.returncode}")

    def outside(self) -> Json:
        """See Sandbox."""
        return {"pid": self._process.pid}

    def facts(self, hello: Json) -> SandboxFacts:
        """See Sandbox; nothing to refuse, because nothing was promised."""
        attestation = {"green": False, "comparisons": [], "inside": hello["sees"], "outside": self.outside()}
        return SandboxFacts(
            backend="process",
            isolated=False,
            attestation=attestation,
            versions=hello["versions"],
            gpu={"devices": list(self._request.gpus)} if self._request.gpus else None,
        )

    def close(self) -> None:
        """See Sandbox."""
        family = self._family()
        self._stream.close()  # the worker reads the end of its input, and kills and removes what is its own
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_S)
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_S)
        self._log.close()
        shutil.rmtree(self._root, ignore_errors=True)


class ProcessBackend:
    """Starts worker processes."""

    name = "process"
    isolated = False

    def start(self, request: SandboxRequest) -> ProcessSandbox:
        """See Backend."""
        if not hasattr(os, "fork"):
            raise SandboxUnavailable(
                "the process backend needs a system that can fork", hint="on Windows run it inside WSL"
            )
        return ProcessSandbox(request)

    def reap(self, run_id: str = "") -> int:  # noqa: ARG002 - part of the protocol
        """Nothing to do: a worker ends when its judge's end of the stream closes."""
        return 0


def _environment(request: SandboxRequest) -> dict[str, str]:
    """Little of the user's own; a device that was not leased is not seen, as in a container."""
    threads = str(request.limits.threads)
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    fixed = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    return {**kept, **fixed, "CUDA_VISIBLE_DEVICES": ",".join(request.gpus), **ALWAYS}


def _rlimits(limits: Limits) -> dict[str, int]:
    """What the worker lowers for itself and its children before anything else."""
    wanted = {"CORE": 0, "FSIZE": limits.tmpfs_bytes, "NOFILE": 4096}
    if sys.platform == "linux" and os.getuid() != 0:  # counted for the whole user: what is there, and some more
        wanted["NPROC"] = limits.pids + sum(_threads_of(process) for process in psutil.process_iter())
    return wanted


def _threads_of(process: psutil.Process) -> int:
    try:
        return process.num_threads() if process.uids().real == os.getuid() else 0
    except psutil.Error:
        return 0


def _private_bytes(process: psutil.Process) -> int:
    """What the process keeps for itself: forked children share most of torch with the server."""
    memory = process.memory_info()
    return max(0, int(memory.rss) - int(getattr(memory, "shared", 0)))


def _share_of_bytes(process: psutil.Process) -> int:
    """The exact use: pages that several processes share are divided among them. Slower; not for another user's."""
    with contextlib.suppress(psutil.Error, AttributeError):
        return int(process.memory_full_info().pss)
    with contextlib.suppress(psutil.Error):
        return _private_bytes(process)
    return 0


BACKEND = ProcessBackend()
