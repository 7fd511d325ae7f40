"""The pool: every job that was started is heard of again, in a slot of its own."""

from __future__ import annotations

import threading

from grader.runners.pool import Pool
from grader.runners.protocol import Context, Ended, Slot, Told

SLOTS = [Slot(number=0, cores=(0,)), Slot(number=1, cores=(1,))]


def drain(pool: Pool[int, int], count: int) -> list[Told[int] | Ended[int, int]]:
    """The next events, until so many jobs have ended."""
    events: list[Told[int] | Ended[int, int]] = []
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
