"""The judges of one task of one submission: the first from beginning to end, others for as long as a slot is free.

They are handed the suite's groups of checks one at a time. What a check sees does not depend on who runs its group, so
neither does the result. A judge that helped and failed is as if it had never been: its groups are done again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from grader.errors import Ungraded
from grader.judge.job import Job
from grader.judge.parts import Groups, Part, put_together
from grader.model import CheckResult, TaskResult

HELP_AFTER_S: Final = 1.0
"""How long the first judge has been at one group when others are asked for: a sandbox costs somewhat more to start, so
a suite whose groups are all short stays with one."""

OnCheck = Callable[[CheckResult], None]


class Crew:
    """Who has which group. Safe for a thread for each judge."""

    def __init__(self, job: Job, on_check: OnCheck | None = None) -> None:
        self.job, self._on_check = job, on_check
        self.over = threading.Event()
        """Nobody is needed any more."""
        self._lock = threading.Lock()
        self.first = Part()
        """What the first judge gives."""
        self._helpers: list[Part] = []
        """That were given a group, in the order in which they joined."""
        self._coming, self._claimed, self._failed = 0, 0, False
        self._groups: Groups | None = None
        self._waiting: deque[int] = deque()
        self._since = 0.0
        self._told: set[str] = set()

    def announce(self, groups: Groups) -> None:
        """The groups, as some judge sees them. Raises Ungraded where another one saw others."""
        with self._lock:
            if self._groups is None:
                self._groups, self._waiting = groups, deque(range(len(groups)))
            elif self._groups != groups:
                raise Ungraded(f"the suite of task {self.job.task.id} changed while it ran", hint="run it again")

    def turn(self, part: Part) -> int | None:
        """The group that a judge without one is to run next, now its own; None where there is none now."""
        with self._lock:
            if not self._waiting:
                return None
            number = self._waiting.popleft()
            if part is self.first:
                self._since = time.monotonic()
            elif part not in self._helpers:
                self._helpers.append(part)
                self._coming -= 1
        part.begin(number)
        return number

    def is_done(self, part: Part) -> bool:
        """True where a judge without a group is not needed any more; the first one is, until all others said all."""
        with self._lock:
            return not self._waiting and (part is not self.first or all(helper.is_whole for helper in self._helpers))

    def told(self, check: CheckResult) -> None:
        """A check is finished, in whatever judge."""
        with self._lock:
            fresh = check.spec.id not in self._told
            self._told.add(check.spec.id)
        if fresh and self._on_check:
            self._on_check(check)

    def claim(self) -> Job | None:
        """The job of one more judge, where it would have something to do; who claims it must `leave` in the end.

        A notebook is executed for each sandbox, and a device is lent to one: there no other judge would help.
        """
        job = self.job
        with self._lock:
            if self.over.is_set() or self._failed or job.gpus or job.entry.kind == "ipynb":
                return None
            late = self._since and time.monotonic() - self._since > HELP_AFTER_S
            if not late or len(self._waiting) <= self._coming:
                return None
            self._coming, self._claimed = self._coming + 1, self._claimed + 1
            return job.beside(self._claimed)

    def leave(self, part: Part) -> None:
        """A judge that helped has ended, one way or another. What it did is kept only if it said all."""
        with self._lock:
            if part not in self._helpers:
                self._coming -= 1
            elif not part.is_whole:
                self._helpers.remove(part)
                self._waiting.extend(part.done)
            self._failed = self._failed or (not part.is_whole and not self.over.is_set())

    def result(self, wall_s: float) -> TaskResult:
        """Of all judges together, once the first one has said all. Raises what it said went wrong."""
        with self._lock:
            return put_together(self.job, self._groups or (), [self.first, *self._helpers], wall_s)


class Crews:
    """The crews that are at work now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._crews: dict[str, Crew] = {}

    @contextlib.contextmanager
    def gathered(self, crew: Crew) -> Iterator[None]:
        """Others may find `crew` here, until it is over."""
        with self._lock:
            self._crews[crew.job.run_id] = crew
        try:
            yield
        finally:
            crew.over.set()
            with self._lock:
                del self._crews[crew.job.run_id]

    def claim(self, run_id: str) -> tuple[Crew, Job] | None:
        """See Crew.claim, of the crew of that run."""
        with self._lock:
            crew = self._crews.get(run_id)
        job = crew.claim() if crew else None
        return (crew, job) if crew and job else None
