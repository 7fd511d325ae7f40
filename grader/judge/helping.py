"""Lets a slot of a pool that has nothing to do take part in a job of another slot: see runners.protocol.Helper."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Generic

from grader.judge.crew import Crew, Crews
from grader.judge.job import Job as JudgeJob
from grader.judge.launch import Start, help_judge
from grader.runners.protocol import Context, Job


class Helpers(Generic[Job]):
    """Judges for slots that help."""

    def __init__(self, crews: Crews, run_of: Callable[[Job], str], start: Start) -> None:
        """`run_of`: the id of the run that a job of the pool is."""
        self._crews, self._run_of, self._start = crews, run_of, start

    def claim(self, job: Job) -> Callable[[Context], None] | None:
        """See Helper."""
        claimed = self._crews.claim(self._run_of(job))
        return functools.partial(self._help, *claimed) if claimed else None

    def _help(self, crew: Crew, job: JudgeJob, context: Context) -> None:
        mine = replace(job, slot=context.slot.number, cores=context.slot.cores)
        help_judge(crew, mine, context.cancelled, self._start)
