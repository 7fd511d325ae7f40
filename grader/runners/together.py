"""A list of jobs from its first to its last, for a caller that waits for all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

from grader.runners.protocol import Answer, Ended, Job, Runner, Told

LOOK_S: Final = 0.25
"""An interrupt, and that a free slot could help, is noticed between two looks."""
STOP_S: Final = 20.0


def run_all(runner: Runner[Job, Answer], jobs: Sequence[Job], on_told: Callable[[Any], None]) -> list[Answer]:
    """The answers in the order of the jobs. What a job tells on the way goes to `on_told`, in the caller's thread.

    Raises what the first job to fail raised. Whatever still runs then, or after an interrupt, is stopped.
    """
    try:
        return _run(runner, jobs, on_told)
    finally:
        runner.stop(STOP_S)


def _run(runner: Runner[Job, Answer], jobs: Sequence[Job], on_told: Callable[[Any], None]) -> list[Answer]:
    waiting = deque(range(len(jobs)))
    places: dict[int, int] = {}
    answers: dict[int, Any] = {}
    while len(answers) < len(jobs):
        while waiting and runner.free:
            place = waiting.popleft()
            places[runner.start(jobs[place]).number] = place
        if not waiting:
            runner.assist()
        event = runner.next(LOOK_S)
        if isinstance(event, Told):
            on_told(event.what)
        elif isinstance(event, Ended):
            if event.error is not None:
                raise event.error
            answers[places[event.slot.number]] = event.answer
    return [answers[place] for place in range(len(jobs))]
