"""A batch on other machines: what travels there, and what a machine sees to before it grades.

A node has the package, a Docker engine and nothing else. The files of a task come with the job; the sandbox image is
built there when it is first needed, or pulled by its digest.
"""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from grader.batch.keys import Ground, program
from grader.batch.slots import JUDGE_BYTES
from grader.batch.unit import Unit, grade_unit
from grader.config import Settings, cache_folder
from grader.errors import SandboxUnavailable, UsageError
from grader.judge.starting import scratch_prefix, sweep
from grader.model import Task
from grader.pipeline import Judged, within
from grader.runners import make_runner
from grader.runners.cluster import Cluster
from grader.runners.protocol import Context, Elsewhere, Needs, Slot
from grader.task import load_task, task_files

_WRITTEN: Final = Needs(cpus=1, memory_bytes=JUDGE_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """A task as it travels: sent once to each node, whatever the number of submissions."""

    task: Task
    files: Mapping[str, bytes]
    program: tuple[str, ...]
    """Of the machine that asks."""


def open_cluster(
    address: str, jobs: int | None, tasks: Mapping[str, Task], settings: Settings
) -> Cluster[Unit, Judged]:
    """The runner. Raises UsageError for settings that mean nothing on a cluster, and SandboxUnavailable."""
    _check(tasks, settings)
    elsewhere: Elsewhere[Unit] = Elsewhere(
        address=address,
        largest=_largest(tasks, settings),
        needs=lambda unit: needs_of(unit.task, unit.request.settings),
        shared=lambda unit: (unit.task.id, lambda: ship(unit.task)),
    )
    runner = make_runner("ray", grade_far, [Slot(number=number) for number in range(jobs or 0)], elsewhere)
    assert isinstance(runner, Cluster)
    return runner


def _check(tasks: Mapping[str, Task], settings: Settings) -> None:
    if settings.gpus not in ("none", "auto", "all"):
        message = f"--gpus {settings.gpus} names devices of one machine; Ray gives each job a device"
        raise UsageError(message, hint="give `--gpus auto` or `all`")
    code = any(task.kind == "code" for task in tasks.values())
    if code and settings.backend == "docker" and settings.image and "@sha256:" not in settings.image:
        message = f"on a cluster the image {settings.image!r} may be another one on each node"
        raise UsageError(message, hint="give it by digest, NAME@sha256:..., or leave --image out")


def ground_of(runner: Cluster[Unit, Judged], tasks: Mapping[str, Task], settings: Settings, seed: int) -> Ground:
    """What results depend on. The image is known by its digest or by the hash of what it is built from."""
    from grader.sandbox.image import image_tag

    image = ""
    if settings.backend == "docker" and any(task.kind == "code" for task in tasks.values()):
        image = settings.image or image_tag(gpu=_uses_gpus(tasks, settings))
    models = () if settings.gpus == "none" else runner.models
    return Ground(settings=settings, seed=seed, image=image, devices=models)


def _uses_gpus(tasks: Mapping[str, Task], settings: Settings) -> bool:
    return settings.gpus != "none" and any(task.gpu != "none" for task in tasks.values() if task.kind == "code")


def needs_of(task: Task, settings: Settings) -> Needs:
    """What one job of the task takes up."""
    if task.kind == "written":
        return _WRITTEN
    limits = within(task, settings).limits
    # What a slot of the pool has: one core for a task of one thread, whatever its sandbox may use at most.
    cpus = max(1, math.ceil(settings.cpus or limits.threads))
    return Needs(
        cpus=cpus,
        memory_bytes=limits.memory_bytes + JUDGE_BYTES,
        gpus=int(settings.gpus != "none" and task.gpu != "none"),
        gpus_if_any=settings.gpus == "auto" and task.gpu != "required",
    )


def _largest(tasks: Mapping[str, Task], settings: Settings) -> Needs:
    all_needs = [needs_of(task, settings) for task in tasks.values()]
    return Needs(
        cpus=max(need.cpus for need in all_needs),
        memory_bytes=max(need.memory_bytes for need in all_needs),
        gpus=max(need.gpus for need in all_needs),
        gpus_if_any=all(need.gpus_if_any for need in all_needs if need.gpus),
    )


def ship(task: Task) -> Shipped:
    """The task, ready to travel."""
    return Shipped(task=task, files=task_files(Path(task.root)), program=tuple(program()))


def grade_far(unit: Unit, context: Context) -> Judged:
    """`grade_unit` on a node, with the task that came along. Raises SandboxUnavailable where the node is not fit."""
    shipped = context.shared
    assert isinstance(shipped, Shipped)
    if tuple(program()) != shipped.program:
        message = "this node has another version of grader or of the packages below it than the batch"
        raise SandboxUnavailable(message, hint="install the same on all nodes")
    _clean_once()
    settings = unit.request.settings
    slot = context.slot
    if unit.task.kind == "code" and settings.backend == "docker":
        slot = _with_engine(settings, slot)
    with unpacked(shipped) as root:
        there = replace(unit, task=replace(unit.task, root=str(root)))
        judged = grade_unit(there, replace(context, slot=slot))
    task = replace(judged.result.task, root=unit.task.root)  # as if it had run where the batch is
    return replace(judged, result=replace(judged.result, task=task))


@lru_cache(maxsize=1)
def _clean_once() -> None:
    sweep()


def _with_engine(settings: Settings, slot: Slot) -> Slot:
    """Sees to the image; without cores of its own where the engine cannot share them out."""
    from grader.sandbox.container import connect

    with contextlib.closing(connect()) as client:
        _ready_image(settings, gpu=slot.gpus != "none")
        facts = client.info()
        shares = facts.get("CPUSet") and (not slot.cores or max(slot.cores) < int(facts.get("NCPU", 0)))
    return slot if shares else replace(slot, cores=())


@lru_cache(maxsize=4)
def _ready_image(settings: Settings, *, gpu: bool) -> None:
    """Builds or pulls the sandbox image, once on each node: who comes second waits for the first."""
    from grader.sandbox.container import connect
    from grader.sandbox.image import build_image, pull_image

    with _node_lock("image"), contextlib.closing(connect()) as client:
        if settings.image:
            pull_image(client, settings.image)
        else:
            build_image(client, gpu=gpu, progress=lambda _line: None, index_url=settings.index_url)


@contextlib.contextmanager
def _node_lock(name: str) -> Iterator[None]:
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def unpacked(shipped: Shipped) -> Iterator[Path]:
    """The folder of the task, checked against its digest, for the time of one job."""
    # Mode 0700: hidden tests are nobody else's business. By its name it is swept away should this process be killed.
    folder = Path(tempfile.mkdtemp(prefix=scratch_prefix(os.getpid())))
    try:
        root = folder / shipped.task.id
        for name, content in shipped.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if load_task(root).sha256 != shipped.task.sha256:
            message = f"the files of task {shipped.task.id} changed while the batch was running"
            raise SandboxUnavailable(message, hint="run the batch again")
        yield root
    finally:
        shutil.rmtree(folder, ignore_errors=True)
