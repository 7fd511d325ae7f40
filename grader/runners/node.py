"""The part of the Ray runner that is on the node where a job runs: a slot of that node, and words back to the batch.

Ray sees to it that the jobs on a node fit into it; which cores and which user id each has is settled here, between the
processes of the node, by locks that go with the process that holds them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pickle
import platform
import queue
import stat
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from grader.errors import GraderError, SandboxUnavailable, Ungraded
from grader.runners.protocol import Context, Needs, Slot, Work
from grader.text import sanitize_line

_MOST: Final = 1024
"""Slots of a node: a sandbox's user id is made from the number."""
_ENDING_S: Final = 30.0
"""How long a job that is cancelled may take to end in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """First word of a job: where it runs."""

    node: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that the job said on the way."""

    what: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Last word of a job."""

    answer: object = None
    error: BaseException | None = None


Word = Begun | Said | Done


def words_of(work: Work[Any, Any], job: object, shared: object, needs: Needs) -> Iterator[Word]:
    """Runs a job on this node; gives its words as they come. What cancels it is raised here by Ray."""
    import ray

    context = ray.get_runtime_context()
    yield Begun(node=context.get_node_id(), host=platform.node())
    with leased_slot(needs.cpus, [str(name) for name in ray.get_gpu_ids()] if needs.gpus else []) as slot:
        yield from _run(work, job, shared, slot)


def _run(work: Work[Any, Any], job: object, shared: object, slot: Slot) -> Iterator[Word]:
    said: queue.SimpleQueue[Word] = queue.SimpleQueue()
    cancelled = threading.Event()
    context = Context(slot=slot, tell=lambda what: said.put(Said(what=what)), cancelled=cancelled, shared=shared)
    thread = threading.Thread(target=lambda: said.put(_answer(work, job, context)), daemon=True)
    thread.start()
    try:
        while True:
            word = _next(said)
            if word is not None:
                yield word
            if isinstance(word, Done):
                return
    finally:
        cancelled.set()
        thread.join(_ENDING_S)


def _next(said: queue.SimpleQueue[Word]) -> Word | None:
    try:
        return said.get(timeout=1)  # short: an interruption from Ray is noticed between two waits
    except queue.Empty:
        return None


def _answer(work: Work[Any, Any], job: object, context: Context) -> Done:
    try:
        return Done(answer=work(job, context))
    except GraderError as error:
        return Done(error=_named(error))
    except BaseException as error:  # noqa: BLE001 - a border between machines: the caller decides what it means
        return Done(error=_portable(error))


def _named(error: GraderError) -> GraderError:
    """The error with the host that it is from."""
    return type(error)(f"{platform.node()}: {error.message}", hint=error.hint)


def _portable(error: BaseException) -> BaseException:
    """The error, or its text where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - what was made here a moment ago
    except Exception:  # noqa: BLE001 - whatever its author did not think of
        return Ungraded(f"a bug in grader: {type(error).__name__}: {sanitize_line(str(error), 300)}")
    return error


@contextlib.contextmanager
def leased_slot(cpus: int, gpus: Sequence[str] = (), folder: Path | None = None) -> Iterator[Slot]:
    """The lowest slot of this node that nobody has, with cores of its own where the node has that many.

    Raises SandboxUnavailable where the folder of the locks belongs to somebody else.
    """
    folder = folder or Path(tempfile.gettempdir(), f"grader-slots-{os.getuid()}")
    _own(folder)
    number, descriptor = _lock_lowest(folder)
    try:
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        share = tuple(cores[number * cpus : (number + 1) * cpus])
        yield Slot(number=number, cores=share if len(share) == cpus else (), gpus=",".join(gpus) or "none")
    finally:
        os.close(descriptor)


def _own(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise SandboxUnavailable(f"{folder} belongs to somebody else", hint="remove it, or set TMPDIR for Ray")


def _lock_lowest(folder: Path) -> tuple[int, int]:
    for number in range(_MOST):
        descriptor = os.open(folder / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with the process, however it ends
        except BlockingIOError:
            os.close(descriptor)
        else:
            return number, descriptor
    raise SandboxUnavailable(f"{_MOST} jobs run on this node already", hint="lower its CPUs in Ray")
