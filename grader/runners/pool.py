"""Runs jobs in threads of this process, one for each slot. The work itself is in the processes that a job starts."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Generic

from grader.runners.protocol import (
    Ahead,
    Answer,
    Context,
    Elsewhere,
    Ended,
    Helped,
    Helper,
    Job,
    Runner,
    Slot,
    Told,
    Work,
)


class Pool(Generic[Job, Answer]):
    """See Runner."""

    def __init__(
        self,
        work: Work[Job, Answer],
        slots: Sequence[Slot],
        ahead: Ahead[Job] | None = None,
        helper: Helper[Job] | None = None,
    ) -> None:
        self._work, self._slots, self._ahead, self._helper = work, tuple(slots), ahead, helper
        self._jobs: dict[int, Job] = {}
        """By the slot that has it."""
        self._free = list(reversed(slots))
        self._running: dict[int, threading.Thread] = {}
        self._said: queue.SimpleQueue[Told[Job] | Ended[Job, Answer] | Helped[Job]] = queue.SimpleQueue()
        self._cancelled = threading.Event()

    @property
    def free(self) -> int:
        """See Runner."""
        return 0 if self._cancelled.is_set() else len(self._free)

    def start(self, job: Job) -> Slot:
        """See Runner."""
        slot = self._slot_for(job)
        self._jobs[slot.number] = job
        self._occupy(slot, self._run, job, slot)
        return slot

    def _occupy(self, slot: Slot, target: Callable[..., None], *arguments: object) -> None:
        self._free.remove(slot)
        # A thread that hangs in a system call must not keep an interrupted command from ending.
        thread = threading.Thread(target=target, args=arguments, name=f"slot-{slot.number}", daemon=True)
        self._running[slot.number] = thread
        thread.start()

    def assist(self) -> Sequence[tuple[Slot, Job]]:
        """See Runner."""
        begun: list[tuple[Slot, Job]] = []
        helper = self._helper
        if helper is None or self._cancelled.is_set():
            return begun
        for job in list(self._jobs.values()):
            while self._free and (work := helper.claim(job)) is not None:
                slot = self._free[-1]
                self._occupy(slot, self._take_part, work, job, slot)
                begun.append((slot, job))
        return begun

    def _take_part(self, work: Callable[[Context], None], job: Job, slot: Slot) -> None:
        try:
            work(self._context(job, slot))
        except Exception as error:  # noqa: BLE001 - whoever has the job does without
            if not self._cancelled.is_set():
                self._said.put(Told(job=job, slot=slot, what=f"a slot that helped gave up: {error}"))
        finally:
            self._said.put(Helped(job=job, slot=slot))

    def _context(self, job: Job, slot: Slot) -> Context:
        return Context(
            slot=slot,
            tell=lambda what: self._said.put(Told(job=job, slot=slot, what=what)),
            cancelled=self._cancelled,
        )

    def _slot_for(self, job: Job) -> Slot:
        """The slot that is prepared for the job, one that is for no other, or any."""
        ahead = self._ahead
        if ahead is None:
            return self._free[-1]
        return min(reversed(self._free), key=lambda slot: (not ahead.holds(job, slot), ahead.is_full(slot)))

    def choose(self, jobs: Sequence[Job]) -> int:
        """See Runner. Looks a few jobs ahead only, so that none waits for long."""
        ahead = self._ahead
        if ahead is not None:
            for place, job in enumerate(islice(jobs, 2 * len(self._slots))):
                if any(ahead.holds(job, slot) for slot in self._free):
                    return place
        return 0

    def expect(self, jobs: Sequence[Job]) -> None:
        """See Runner. A free slot is not prepared: its job could as well start."""
        ahead = self._ahead
        if ahead is None or self._cancelled.is_set():
            return
        waiting = [slot for slot in self._slots if slot not in self._free and not ahead.is_full(slot)]
        for job in islice(jobs, 2 * len(self._slots)):
            if not waiting:
                return
            if not any(ahead.holds(job, slot) for slot in self._slots) and ahead.prepare(job, waiting[0]):
                waiting.pop(0)

    def _run(self, job: Job, slot: Slot) -> None:
        try:
            self._said.put(Ended(job=job, slot=slot, answer=self._work(job, self._context(job, slot))))
        except BaseException as error:  # noqa: BLE001 - a border between threads: the caller decides what it means
            self._said.put(Ended(job=job, slot=slot, error=error))

    def next(self, timeout_s: float) -> Told[Job] | Ended[Job, Answer] | Helped[Job] | None:
        """See Runner."""
        try:
            event = self._said.get(timeout=max(timeout_s, 0))
        except queue.Empty:
            return None
        if not isinstance(event, Told):
            self._running.pop(event.slot.number).join()
            self._free.append(event.slot)
        if isinstance(event, Ended):
            del self._jobs[event.slot.number]
        return event

    def stop(self, timeout_s: float) -> bool:
        """See Runner."""
        self._cancelled.set()
        deadline = time.monotonic() + timeout_s
        for thread in self._running.values():
            thread.join(max(deadline - time.monotonic(), 0))
        return not any(thread.is_alive() for thread in self._running.values())


def make(
    work: Work[Any, Any],
    slots: Sequence[Slot],
    _elsewhere: Elsewhere[Any] | None = None,
    ahead: Ahead[Any] | None = None,
    helper: Helper[Any] | None = None,
) -> Runner[Any, Any]:
    """See make_runner."""
    return Pool(work, slots, ahead, helper)
