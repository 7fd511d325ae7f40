"""How many jobs run at a time, and what each has for itself: cores and a user id; a GPU is leased for each job.

A slot's resources are its own, and a task fixes its threads, so that a score does not depend on what runs beside it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Final

import psutil

from grader.config import Settings
from grader.errors import UsageError
from grader.model import Task
from grader.pipeline import GPU_HOST_BYTES
from grader.runners.protocol import Slot
from grader.sandbox.passthrough import offered

JUDGE_BYTES: Final = 256 * 1024**2
_AHEAD_BYTES: Final = 384 * 1024**2
"""Of the judge and the idle sandbox that a busy slot has for its next job."""
_RESERVE_BYTES: Final = 1024**3
"""For the system, the engine and this process."""


def make_slots(asked: int | None, tasks: Iterable[Task], settings: Settings) -> list[Slot]:
    """The slots of a batch: `asked` many, or as many as cores, memory and GPUs carry.

    Raises UsageError where more are asked for than there are GPUs to give each one; SandboxUnavailable where GPUs
    are asked for and cannot be had.
    """
    code = [task for task in tasks if task.kind == "code"]
    devices = offered(settings.gpus, settings.backend).devices if any(task.gpu != "none" for task in code) else ()
    if asked and devices and asked > len(devices):
        message = f"{asked} slots need {asked} GPUs, and {len(devices)} may be used"
        raise UsageError(message, hint=f"give -j {len(devices)}, or `--gpus none`")
    cores = available_cores()
    need = settings.memory_mb * 1024**2 if settings.memory_mb else max((t.limits.memory_bytes for t in code), default=0)
    need += GPU_HOST_BYTES if devices and not settings.memory_mb else 0
    free = psutil.virtual_memory().available
    count = asked or default_count(len(cores), free, need, len(devices) or None)
    shares = share_out(cores, count)
    return [Slot(number=number, cores=share, gpus=settings.gpus) for number, share in enumerate(shares)]


def default_count(cores: int, free_bytes: int, need_bytes: int, gpus: int | None) -> int:
    """One slot for each core, fewer where memory for that many sandboxes at their limit, or GPUs, are missing."""
    by_memory = (free_bytes - _RESERVE_BYTES) // (need_bytes + JUDGE_BYTES + _AHEAD_BYTES)
    return max(1, min(cores, by_memory, cores if gpus is None else gpus))


def share_out(cores: Sequence[int], slots: int) -> list[tuple[int, ...]]:
    """Equal shares of the cores, so that no slot is faster; one core for several slots where there are fewer cores.

    A single slot has no share: it may use the whole machine.
    """
    if slots == 1:
        return [()]
    each = len(cores) // slots
    if each == 0:
        return [(cores[number % len(cores)],) for number in range(slots)]
    return [tuple(cores[number * each : (number + 1) * each]) for number in range(slots)]


def available_cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
