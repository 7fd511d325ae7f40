"""A whole batch from a folder to OUT, in one screen: find, lock, look at the machine, run, publish."""

from __future__ import annotations

import contextlib
import functools
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

from grader.batch.ahead import JudgesAhead
from grader.batch.assembly import publish, written
from grader.batch.discovery import Found
from grader.batch.keys import Ground, devices_of
from grader.batch.opening import Opener, sources
from grader.batch.session import Interrupted, Session
from grader.batch.show import Lines, make_show
from grader.batch.slots import make_slots
from grader.batch.unit import Unit, grade_unit
from grader.config import Settings
from grader.errors import SandboxUnavailable
from grader.judge.crew import Crews
from grader.judge.helping import Helpers
from grader.judge.starting import sweep
from grader.judge.warm import WarmJudges, is_available
from grader.model import Task
from grader.pipeline import Judged
from grader.runners import make_runner
from grader.runners.protocol import Runner, Slot
from grader.sandbox import backend
from grader.store import JobRow, Store, locked

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a batch may be told besides the settings."""

    out: Path
    jobs: int | None = None
    runner: str = "pool"
    address: str = ""
    """Of the cluster, for the runner ray."""
    fresh: bool = False
    """Grade everything again, whatever is stored."""
    quiet: bool = False
    sign: Callable[[Sequence[Path]], int] | None = None
    """Signs those of the reports at these paths that are not signed yet; gives their number."""
    public: bool = False
    """Candidates may read the log: why we could not grade stays in the report, since it may quote a hidden suite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a batch ended."""

    rows: Sequence[JobRow]
    """By id; of those that were settled."""
    tally: Lines
    interrupted: bool
    pages: Sequence[Path] = ()
    """summary.csv and index.html."""


def run_batch(found: Sequence[Found], tasks: Mapping[str, Task], settings: Settings, options: Options) -> Finished:
    """Grades the submissions into `options.out`.

    Raises UsageError for an OUT that cannot be used, SandboxUnavailable where nothing can be run at all, and Ungraded
    where finished results cannot be written any more; whatever is finished is kept.
    """
    with locked(options.out), Store(options.out) as store, contextlib.ExitStack() as stack:
        ground, runner, slots = _place(tasks, settings, options, store, stack)
        store.announce(sources(found))
        show = make_show(len(found), slots, quiet=options.quiet, public=options.public)
        session = Session(options.out, Opener(tasks, ground), store, runner, show, fresh=options.fresh)
        interrupted = False
        with _stoppable() as asked:
            try:
                with show:
                    session.run(found, lambda: bool(asked))
            except Interrupted:
                interrupted = True
            finally:
                _reap(settings, store)
        rows = sorted(session.rows, key=lambda row: row.id)
        if options.sign is not None:
            options.sign(written(rows, options.out))
        pages = [] if interrupted else publish(options.out, rows, store, settings.lang)
        return Finished(rows=rows, tally=show, interrupted=interrupted, pages=pages)


def _place(
    tasks: Mapping[str, Task], settings: Settings, options: Options, store: Store, stack: contextlib.ExitStack
) -> tuple[Ground, Runner[Unit, Judged], int]:
    """Where the jobs run: what results depend on there, the runner, and how many run at a time.

    What has to end after the last job goes to `stack`.
    """
    seed = store.seed(settings.seed)
    if options.runner == "ray":
        from grader.batch.remote import ground_of, open_cluster

        _reap(settings, store)
        far = open_cluster(options.address, options.jobs, tasks, settings)
        return ground_of(far, tasks, settings, seed), far, far.slots
    devices = devices_of(settings) if any(task.gpu != "none" for task in tasks.values()) else ()
    slots = make_slots(options.jobs, tasks.values(), settings)
    image, slots = _prepare(tasks, settings, slots, store, gpu=bool(devices))
    ground = Ground(settings=settings, seed=seed, image=image, devices=devices)
    if not is_available() or all(task.kind != "code" for task in tasks.values()):
        return ground, make_runner(options.runner, grade_unit, slots), len(slots)
    judges, crews = stack.enter_context(WarmJudges(len(slots))), Crews()
    ahead = JudgesAhead(judges, gpus=bool(devices))
    helper = Helpers[Unit](crews, lambda unit: unit.run.id, judges.start)
    work = functools.partial(grade_unit, start=judges.start, crews=crews)
    return ground, make_runner(options.runner, work, slots, ahead=ahead, helper=helper), len(slots)


def _prepare(
    tasks: Mapping[str, Task], settings: Settings, slots: list[Slot], store: Store, *, gpu: bool
) -> tuple[str, list[Slot]]:
    """Removes what a killed batch left, and asks the engine for the image's id and for cores to share out."""
    if settings.backend != "docker" or not any(task.kind == "code" for task in tasks.values()):
        _reap(settings, store)
        return "", slots
    from grader.sandbox.container import connect
    from grader.sandbox.image import image_id

    with contextlib.closing(connect()) as client:
        _reap(settings, store)
        cores = {core for slot in slots for core in slot.cores}
        facts = client.info()
        if not facts.get("CPUSet") or (cores and max(cores) >= int(facts.get("NCPU", 0))):
            slots = [Slot(number=slot.number, gpus=slot.gpus) for slot in slots]  # an engine on another machine
        return image_id(client, settings.image, gpu=gpu), slots


def _reap(settings: Settings, store: Store) -> None:
    """Removes what runs that are gone left behind: scratch folders, and the sandboxes of attempts that did not end."""
    sweep()
    left = store.abandon()
    with contextlib.suppress(SandboxUnavailable):  # an engine that is gone holds nothing that we could remove
        place = backend(settings.backend)
        for run in left:
            place.reap(run)
        if not left:
            place.reap()


@contextlib.contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Collects signals that ask us to stop; the second one interrupts at once."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    if threading.current_thread() is not threading.main_thread():  # only that one may handle signals
        yield asked
        return
    before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
