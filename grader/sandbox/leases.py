"""Gives a device to one job at a time, on the whole machine, and looks afterwards whether its memory is free again.

A lease is a file lock named for the UUID, which the kernel frees when its holder dies, however it dies. What the lock
cannot know (somebody else's program, a container that outlives its judge by a second) is seen by the memory in use.
A device whose memory does not come back is set aside until it does; the others go on.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.errors import SandboxUnavailable, Ungraded
from grader.model import Json, Task
from grader.sandbox.gpu_meter import metered
from grader.sandbox.gpus import MIB, Gpu, list_gpus
from grader.sandbox.passthrough import offered

BUSY_S = 10.0
"""How long a device that somebody else uses is waited for: a container that is being removed takes seconds."""
FREED_S = 10.0
"""How long memory may take to come back after the container is gone."""
POLL_S = 0.5
TOLERANCE_BYTES: Final = 256 * MIB
"""What a driver may keep for itself after a process ended; more is somebody's."""
_IDLE_BYTES: Final = 1024 * MIB
_IDLE_SHARE: Final = 0.05
"""Up to this, or the share of a device, belongs to a desktop or the driver."""
_LOCKS: Final = Path("/proc/locks")


@dataclass(slots=True)
class Lease:
    """What a job has. `peak_bytes` and `note` are there once the lease has ended."""

    device: Gpu | None = None
    reason: str = ""
    """Why the job runs on the CPU though GPUs were asked for."""
    passing: bool = False
    """The reason may be gone next time: devices are there, and were taken."""
    peak_so_far: Callable[[], int] = int
    """Most memory in use on the device beyond what was in use before, in bytes; 0 where the driver does not say."""
    peak_bytes: int = 0
    """The same at the end."""
    note: str = ""
    """One line where the device had to be set aside."""

    @property
    def uuids(self) -> tuple[str, ...]:
        """For the sandbox."""
        return (self.device.uuid,) if self.device else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What a candidate may know of it: not our machine, nor what the code left on the device."""
        return ("ran on the CPU: no GPU could be had",) if self.reason else ()

    @property
    def facts(self) -> Json | None:
        """For the report; None where no GPU was asked for."""
        if self.device is None:
            return {"devices": [], "reason": self.reason, "passing": self.passing} if self.reason else None
        device = self.device
        row = {
            "uuid": device.uuid,
            "name": device.name,
            "mig": bool(device.parent),
            "driver": device.driver,
            "cuda": device.cuda,
            "memory_bytes": device.total_bytes,
        }
        return {"devices": [row], "note": self.note} if self.note else {"devices": [row]}


@contextlib.contextmanager
def leased(
    asked: str,
    task: Task,
    backend: str,
    cancelled: Callable[[], bool] = bool,
    told: Callable[[str], None] | None = None,
    folder: Path | None = None,
) -> Iterator[Lease]:
    """One device for the time of a job of `task`, under the setting `asked`; the sandbox must be gone at the end.

    `told` hears the line about a device that is set aside, whatever became of the job.

    Raises SandboxUnavailable where it cannot be had and the CPU would not do; Ungraded once `cancelled` says so.
    """
    if task.gpu == "none" or asked == "none":
        if task.gpu == "required":
            raise SandboxUnavailable(f"task {task.id} needs a GPU", hint="give `--gpus all`, an index or a UUID")
        yield Lease()
        return
    folder = folder or lock_folder()
    offer = offered("all" if asked == "auto" and task.gpu == "required" else asked, backend)
    if not offer.devices:
        yield Lease(reason=offer.reason)
        return
    try:
        device, lock = _take(offer.devices, cancelled, folder)
    except SandboxUnavailable as error:
        if asked != "auto" or task.gpu == "required":
            raise
        yield Lease(reason=error.message, passing=True)
        return
    lease = Lease(device=device)
    try:
        with metered(device) as lease.peak_so_far:
            yield lease
        lease.peak_bytes = lease.peak_so_far()
    finally:
        if not cancelled():  # who wants to stop does not wait: the next job looks before it starts
            lease.note = _settle(device, folder, patience_s=FREED_S)
        os.close(lock)
        if lease.note and told:
            told(lease.note)


def lock_folder() -> Path:
    """Where all users of this machine see each other's locks: a folder of the system's that nobody may clear."""
    usual = Path("/run/lock")
    return usual if os.access(usual, os.W_OK) else Path("/tmp")  # noqa: S108 - the same for all, not TMPDIR


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """Why a device cannot be had now."""

    reason: str
    ours: bool = False
    """Another job of this process has it."""


def _take(devices: Sequence[Gpu], cancelled: Callable[[], bool], folder: Path) -> tuple[Gpu, int]:
    """The first device that is free, and its lock. Another job of ours is waited for as long as it takes."""
    deadline = time.monotonic() + BUSY_S
    while True:
        refusals: list[_Refusal] = []
        for device in devices:
            answer = _try(device, folder)
            if not isinstance(answer, _Refusal):
                return answer
            refusals.append(answer)
        if cancelled():
            raise Ungraded("interrupted")
        if not any(one.ours for one in refusals) and time.monotonic() > deadline:
            reasons = "; ".join(one.reason for one in refusals)
            raise SandboxUnavailable(reasons, hint="wait, name another with --gpus, or use `--gpus none`")
        time.sleep(POLL_S)


def _try(device: Gpu, folder: Path) -> tuple[Gpu, int] | _Refusal:
    """The device as it is now, with its lock, or why not."""
    lock = _open(_lock_file(device, folder))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        now = _now(device)
        reason = "it is gone" if now is None else _in_use(now) or _set_aside(now, folder)
        if now is not None and not reason:
            return now, lock
        refusal = _Refusal(reason=f"{device.shown} cannot be used: {reason}")
    except BlockingIOError:
        holder = _holder(lock)
        who = f"process {holder}" if holder else "another process"
        refusal = _Refusal(reason=f"{device.shown} is in use by {who} of grader", ours=holder == os.getpid())
    except BaseException:
        os.close(lock)
        raise
    os.close(lock)
    return refusal


def _lock_file(device: Gpu, folder: Path) -> Path:
    return folder / f"grader-gpu-{device.uuid.replace('/', '_')}.lock"


def _open(path: Path) -> int:
    """The lock file, opened to be read only: that is enough for a lock, and works for another user's file too."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            with contextlib.suppress(FileExistsError):  # somebody was faster
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
            descriptor = os.open(path, flags)
    except OSError as error:
        raise SandboxUnavailable(f"cannot open {path}: {error.strerror}", hint="remove it") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SandboxUnavailable(f"{path} is no lock file", hint="remove it")
    return descriptor


def _holder(lock: int) -> int:
    """The process that has the lock, by the kernel's list; 0 where that does not say."""
    inode = f":{os.fstat(lock).st_ino}"
    with contextlib.suppress(OSError, ValueError):
        for line in _LOCKS.read_text().splitlines():
            fields = line.split()
            if fields[1] == "FLOCK" and fields[5].endswith(inode):
                return int(fields[4])
    return 0


def _now(device: Gpu) -> Gpu | None:
    return next((gpu for gpu in list_gpus() if gpu.uuid == device.uuid), None)


def _in_use(gpu: Gpu) -> str:
    """Why it is not free for a job: somebody computes on it, or has its memory."""
    if gpu.users:
        return f"process {gpu.users[0]} computes on it"
    if gpu.used_bytes > max(_IDLE_BYTES, gpu.total_bytes * _IDLE_SHARE):
        return f"{_mib(gpu.used_bytes)} of its memory are in use"
    return ""


# --- afterwards -----------------------------------------------------------------------------------


def _settle(device: Gpu, folder: Path, *, patience_s: float) -> str:
    """Waits for the memory to come back; "" once it has, else the line, and the device is set aside."""
    deadline = time.monotonic() + patience_s
    while True:
        left = "the driver does not list it any more"
        with contextlib.suppress(SandboxUnavailable):  # a driver that hangs says nothing either
            now = _now(device)
            if now is not None and now.used_bytes <= device.used_bytes + TOLERANCE_BYTES:
                return ""
            if now is not None:
                left = f"{_mib(now.used_bytes - device.used_bytes)} of its memory were not freed"
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_S)
    line = f"{device.shown} is set aside: {left} {patience_s:g} s after a job"
    with contextlib.suppress(OSError):  # a full disk: what is in use is looked at before the next job too
        _mark_file(device, folder).write_text(json.dumps({"free_bytes": device.used_bytes, "line": line}))
    return line


def _mark_file(device: Gpu, folder: Path) -> Path:
    return _lock_file(device, folder).with_suffix(".aside")


def _set_aside(now: Gpu, folder: Path) -> str:
    """The line of an earlier job that did not free the memory, while that is so."""
    path = _mark_file(now, folder)
    try:
        mark = json.loads(path.read_text(encoding="utf-8"))
        if now.used_bytes > int(mark["free_bytes"]) + TOLERANCE_BYTES:
            return f"{_mib(now.used_bytes - int(mark['free_bytes']))} of an earlier job are not freed"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    with contextlib.suppress(OSError):
        path.unlink()
    return ""


def _mib(count: int) -> str:
    return f"{count // MIB:,} MiB"
