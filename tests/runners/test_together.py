"""Running a list of jobs: answers in order, words in the caller's thread, one failure stops the rest."""

from __future__ import annotations

import threading

import pytest

from grader.runners.pool import Pool
from grader.runners.protocol import Context, Slot
from grader.runners.together import run_all

SLOTS = [Slot(number=0), Slot(number=1)]


def test_answers_come_in_the_order_of_the_jobs() -> None:
    second_is_done = threading.Event()

    def work(job: int, context: Context) -> int:
        if job == 0:
            assert second_is_done.wait(20)
        context.tell(job)
        second_is_done.set()
        return job * 10

    told: list[tuple[int, threading.Thread]] = []
    answers = run_all(Pool(work, SLOTS), range(5), lambda what: told.append((what, threading.current_thread())))
    assert answers == [0, 10, 20, 30, 40]
    assert sorted(what for what, _ in told) == [0, 1, 2, 3, 4]
    assert {thread for _, thread in told} == {threading.current_thread()}
    assert run_all(Pool(work, SLOTS), [], told.append) == []


@pytest.mark.parametrize("where", ["in the job", "in the caller's function"])
def test_what_fails_stops_the_others(where: str) -> None:
    stopped = threading.Event()

    def work(job: int, context: Context) -> None:
        if job == 0:
            assert context.cancelled.wait(20)
            stopped.set()
        elif where == "in the job":
            raise ValueError("no")
        context.tell(job)

    def on_told(_what: int) -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_all(Pool(work, SLOTS), range(3), on_told)
    assert stopped.is_set()
