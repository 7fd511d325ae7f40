"""The pool: every job that was started is heard of again, in a slot of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from grader.runners.pool import Pool
from grader.runners.protocol import Context, Ended, Helped, Slot, Told

SLOTS = [Slot(number=0, cores=(0,)), Slot(number=1, cores=(1,))]


def drain(pool: Pool[int, int], count: int) -> list[Told[int] | Ended[int, int] | Helped[int]]:
    """The next events, until so many jobs have ended."""
    events: list[Told[int] | Ended[int, int] | Helped[int]] = []
    while sum(isinstance(event, Ended) for event in events) < count:
        event = pool.next(20)
        assert event is not None
        events.append(event)
    return events


def test_answers_words_and_errors_come_back_with_their_job() -> None:
    def work(job: int, context: Context) -> int:
        context.tell(f"at {job}")
        if job == 2:
            raise ValueError("two")
        return job * 10

    pool = Pool(work, SLOTS)
    assert pool.free == 2
    pool.start(1)
    pool.start(2)
    assert pool.free == 0
    events = drain(pool, 2)
    assert pool.free == 2
    assert {event.what for event in events if isinstance(event, Told)} == {"at 1", "at 2"}
    ends = {event.job: event for event in events if isinstance(event, Ended)}
    assert ends[1].answer == 10
    assert repr(ends[2].error) == "ValueError('two')"


def test_jobs_that_run_together_have_different_slots() -> None:
    meeting = threading.Barrier(2, timeout=20)

    def work(_job: int, context: Context) -> int:
        meeting.wait()
        return context.slot.number

    pool = Pool(work, SLOTS)
    assert pool.start(1) != pool.start(2)
    assert sorted(event.answer or 0 for event in drain(pool, 2) if isinstance(event, Ended)) == [0, 1]


def test_stop_tells_jobs_to_end_and_starts_nothing_more() -> None:
    pool = Pool(lambda _job, context: int(context.cancelled.wait(20)), SLOTS)
    pool.start(1)
    assert pool.stop(20)
    assert pool.free == 0


def test_silence_is_no_event() -> None:
    assert Pool(lambda job, _context: job, SLOTS).next(0.01) is None


class Prepared:
    """Ahead that remembers; even jobs need nothing."""

    def __init__(self) -> None:
        self.kept: dict[int, int] = {}

    def prepare(self, job: int, slot: Slot) -> bool:
        if job % 2:
            self.kept[slot.number] = job
        return job % 2 == 1

    def holds(self, job: int, slot: Slot) -> bool:
        return self.kept.get(slot.number) == job

    def is_full(self, slot: Slot) -> bool:
        return slot.number in self.kept


def test_busy_slots_are_prepared_and_get_the_job_that_they_are_prepared_for() -> None:
    go, ahead = [threading.Event() for _ in range(10)], Prepared()

    def work(job: int, _context: Context) -> int:
        go[job].wait(20)
        ahead.kept = {slot: kept for slot, kept in ahead.kept.items() if kept != job}
        return job

    pool = Pool(work, SLOTS, ahead)
    pool.expect([1, 2, 3])
    assert ahead.kept == {}  # free slots do not need it
    first, second = pool.start(0), pool.start(2)
    pool.expect([4, 5, 6, 7, 9])
    assert set(ahead.kept.values()) == {5, 7}  # each once, and 4 needs nothing
    wanted = ahead.kept[second.number]
    go[2].set()
    drain(pool, 1)
    waiting = [4, 5, 6, 7, 9]
    assert waiting[pool.choose(waiting)] == wanted
    assert pool.start(wanted) == second
    assert pool.choose([4, 9]) == 0
    for event in go:
        event.set()
    drain(pool, 2)
    assert pool.start(12 - wanted) == first


def test_a_job_that_nothing_is_prepared_for_takes_the_slot_that_waits_for_no_other() -> None:
    ahead = Prepared()
    ahead.kept = {1: 5}
    pool = Pool(lambda job, _context: job, SLOTS, ahead)
    assert pool.start(3).number == 0
    assert pool.start(5).number == 1
    drain(pool, 2)


class Helping:
    """A helper that has something to do for the job 1, as often as `left` says."""

    def __init__(self, left: int, *, fails: bool = False) -> None:
        self.left, self._fails = left, fails
        self.slots: list[int] = []

    def claim(self, job: int) -> Callable[[Context], None] | None:
        if job != 1 or not self.left:
            return None
        self.left -= 1
        return self._help

    def _help(self, context: Context) -> None:
        self.slots.append(context.slot.number)
        if self._fails:
            raise ValueError("no sandbox")


def test_a_slot_that_is_left_over_helps_in_a_job_and_is_free_again() -> None:
    meeting, helping = threading.Event(), Helping(1)
    pool = Pool(lambda job, _context: job if meeting.wait(20) else 0, SLOTS, helper=helping)
    slot = pool.start(1)
    (begun,) = pool.assist()
    assert begun == (SLOTS[1 - slot.number], 1)
    assert pool.assist() == []
    event = pool.next(20)
    assert isinstance(event, Helped)
    assert (event.slot, event.job, pool.free) == (begun[0], 1, 1)
    meeting.set()
    (ended,) = drain(pool, 1)
    assert isinstance(ended, Ended)
    assert helping.slots == [begun[0].number]
    assert pool.free == 2


def test_a_helper_that_fails_costs_a_word() -> None:
    meeting = threading.Event()
    pool = Pool(lambda job, _context: job if meeting.wait(20) else 0, SLOTS, helper=Helping(1, fails=True))
    pool.start(1)
    assert len(pool.assist()) == 1
    told, helped = pool.next(20), pool.next(20)
    assert isinstance(told, Told)
    assert "no sandbox" in str(told.what)
    assert isinstance(helped, Helped)
    meeting.set()
    drain(pool, 1)


def test_nobody_helps_where_nothing_is_left_over_or_wanted() -> None:
    meeting = threading.Event()
    pool = Pool(lambda job, _context: job if meeting.wait(20) else 0, SLOTS, helper=Helping(5))
    pool.start(1)
    pool.start(2)
    assert pool.assist() == []
    meeting.set()
    drain(pool, 2)
    assert pool.assist() == [], "its job has ended"
    assert Pool(lambda job, _context: job, SLOTS).assist() == []
