"""Which GPUs a run may use: what the user asked for, what the task needs, and what the machine has.

Devices are named by UUID: an index means another device once one is missing or MIG is on.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from grader.errors import SandboxUnavailable
from grader.model import Task

QUERY = ("--query-gpu=index,uuid,name,driver_version", "--format=csv,noheader")
TIMEOUT_S = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One device as the driver lists it."""

    index: int
    uuid: str
    name: str
    driver: str


def list_gpus() -> list[Gpu]:
    """The devices that `nvidia-smi` lists; none where there is no driver. Raises SandboxUnavailable if it hangs."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run([program, *QUERY], capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise SandboxUnavailable("nvidia-smi does not answer", hint="the GPU driver needs attention") from error
    rows = [[part.strip() for part in line.split(",")] for line in done.stdout.splitlines()]
    return [Gpu(index=int(r[0]), uuid=r[1], name=r[2], driver=r[3]) for r in rows if len(r) == 4 and r[0].isdigit()]


def choose_gpus(asked: str, task: Task) -> tuple[str, ...]:
    """UUIDs for `task` under the setting `asked` (none, auto, all, or indices like "0,1").

    Raises SandboxUnavailable where a GPU is asked for or required and there is none.
    """
    if asked == "none" or task.gpu == "none":
        if task.gpu == "required":
            raise SandboxUnavailable(f"task {task.id} needs a GPU", hint="give `--gpus auto`, `all` or an index")
        return ()
    found = list_gpus()
    if asked == "auto" and not found and task.gpu != "required":
        return ()
    if not found:
        raise SandboxUnavailable(
            "no NVIDIA GPU is visible on this machine", hint="install the driver, or use `--gpus none` or `auto`"
        )
    if asked in ("all", "auto"):
        return tuple(gpu.uuid for gpu in (found if asked == "all" else found[:1]))
    return tuple(_by_index(found, int(index)) for index in asked.split(","))


def _by_index(found: list[Gpu], index: int) -> str:
    for gpu in found:
        if gpu.index == index:
            return gpu.uuid
    known = ", ".join(str(gpu.index) for gpu in found)
    raise SandboxUnavailable(f"there is no GPU {index}", hint=f"this machine has: {known}")
