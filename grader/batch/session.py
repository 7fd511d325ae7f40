"""The loop of a batch: opens submissions, fills free slots with their tasks, keeps and settles what comes back.

One thread decides and writes; jobs only tell. A submission is in memory from when it is opened until its report is
written, and only a few are open at a time, so that a batch of a thousand needs the memory of a few.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from grader.batch import assembly
from grader.batch.discovery import Found
from grader.batch.opening import MISSING, Opened, Opener, missing
from grader.batch.show import Show
from grader.batch.unit import Unit
from grader.errors import AttestationFailed, GraderError, SandboxUnavailable, SubmissionRejected, TaskBroken, Ungraded
from grader.model import Report, Score, TaskResult, TaskStatus
from grader.pipeline import Judged
from grader.runners.protocol import Ended, Helped, Runner, Told
from grader.store import JobRow, Kept, Store
from grader.text import sanitize_line

RETRY_S: Final = (2.0, 10.0, 30.0)
"""Waiting times before another attempt at what we failed: an engine that is restarted is back by then."""
STOP_S: Final = 20.0
_POLL_S: Final = 0.25
_AHEAD: Final = 2
"""Submissions that are open beyond one for each slot, so that a slot never waits for a disk."""


class Interrupted(Exception):
    """Somebody asked the batch to stop."""


class Session:
    """One run of a batch. `run` may be called once."""

    def __init__(
        self, out: Path, opener: Opener, store: Store, runner: Runner[Unit, Judged], show: Show, *, fresh: bool
    ) -> None:
        self._out, self._opener, self._store = out, opener, store
        self._runner, self._show, self._fresh = runner, show, fresh
        self._ready: deque[Unit] = deque()
        self._later: list[tuple[float, int, Unit]] = []
        self._order = itertools.count()
        self._open: dict[str, Opened] = {}
        self._began: dict[str, float] = {}
        self._helping: dict[int, float] = {}
        self._any_ran = False
        self.rows: list[JobRow] = []
        """What became of each submission, in the order in which they ended."""

    def run(self, found: Sequence[Found], asked_to_stop: Callable[[], bool]) -> None:
        """Grades them. Raises Interrupted, SandboxUnavailable before anything ran, and what the store raises."""
        waiting = deque(found)
        try:
            while waiting or self._open:
                if asked_to_stop():
                    self._show.stopping()
                    raise Interrupted
                if not self._fill(waiting):
                    continue  # a submission was opened or settled: there may be more to start before waiting
                event = self._runner.next(self._patience())
                if isinstance(event, Told):
                    self._show.told(event.slot, event.what)
                elif isinstance(event, Helped):
                    self._show.ended(event.slot, time.monotonic() - self._helping.pop(event.slot.number))
                elif event is not None:
                    self._ended(event)
        finally:
            self._stop()

    def _fill(self, waiting: deque[Found]) -> bool:
        """Gives free slots something to do; False after each submission opened, True where there is only to wait."""
        while self._later and self._later[0][0] <= time.monotonic():
            self._ready.append(heapq.heappop(self._later)[2])
        while self._runner.free and self._ready:
            place = self._runner.choose(self._ready)
            unit = self._ready[place]
            del self._ready[place]
            self._start(unit)
        self._runner.expect(self._ready)
        if not waiting and not self._ready:
            self._assist()
        busy = len(self._began) + self._runner.free
        if waiting and self._runner.free and len(self._open) < busy + _AHEAD:
            self._open_one(waiting.popleft())
            return False
        return True

    def _assist(self) -> None:
        """At the end of a batch, and in a small one, slots that are left over take part in what the others do."""
        for slot, unit in self._runner.assist():
            self._helping[slot.number] = time.monotonic()
            self._show.started(slot, unit.submission.id, unit.task.id, helps=True)

    def _patience(self) -> float:
        due = self._later[0][0] - time.monotonic() if self._later else _POLL_S
        return min(max(due, 0.0), _POLL_S) if self._open else 0.0

    def _start(self, unit: Unit) -> None:
        self._store.begin(unit.run.id, unit.submission.id, unit.task.id, unit.number, unit.run.started_at)
        self._began[unit.run.id] = time.monotonic()
        slot = self._runner.start(unit)
        self._show.started(slot, unit.submission.id, unit.task.id)

    def _stop(self) -> None:
        """Ends what runs; what was finished meanwhile is kept, the rest is marked, to be done again."""
        self._runner.stop(STOP_S)
        while (event := self._runner.next(0)) is not None:
            if isinstance(event, Ended) and event.answer is not None and event.answer.error is None:
                self._ended(event)
        for run in self._began:
            self._store.end(run, "interrupted", 0.0)

    def _open_one(self, found: Found) -> None:
        """Reads a submission and asks the store; what is not there becomes units."""
        try:
            opened = self._opener.open(found)
        except SubmissionRejected as error:
            self._reject(found, error)
            return
        except GraderError as error:  # it went away since it was found
            self._settle(JobRow(id=found.id, source=found.path.name, state="ungraded", reason=str(error)), {})
            return
        if not self._fresh and self._is_as_it_was(found, opened.key):
            return
        self._open[found.id] = opened
        for task in opened.tasks:
            key = opened.keys[task.id]
            kept = missing(task) if key == MISSING else None if self._fresh else self._store.find(key, task)
            if kept is not None:
                opened.parts[task.id] = kept
            else:
                self._ready.append(self._opener.unit(opened, task.id))
        self._finish(opened)

    def _is_as_it_was(self, found: Found, key: str) -> bool:
        """True where the report that lies there is the one that would be made; then it is counted."""
        row = self._store.job(found.id)
        if row is None or not assembly.is_kept(row, key, self._out / found.id):
            return False
        self.rows.append(row)
        self._show.kept(row)
        return True

    def _ended(self, event: Ended[Unit, Judged]) -> None:
        """A unit is done, or failed by our fault; then it is tried again, or given up."""
        unit, opened = event.job, self._open[event.job.submission.id]
        seconds = round(time.monotonic() - self._began.pop(unit.run.id), 3)
        judged = event.answer or _nothing(unit, _as_ours(event.error))
        self._show.ended(event.slot, seconds)
        kept = Kept(result=judged.result, started_at=unit.run.started_at, seconds=seconds)
        if judged.error is None:
            self._any_ran = True
            self._keep(unit, kept, opened)
        elif not self._give_up(unit, opened, judged.error, seconds):
            return
        opened.parts[unit.task.id] = kept
        self._finish(opened)

    def _keep(self, unit: Unit, kept: Kept, opened: Opened) -> None:
        if assembly.is_lasting(kept):
            self._store.keep(unit.run.id, unit.key, kept)
        else:
            opened.keys[unit.task.id] = ""
            self._store.end(unit.run.id, str(kept.result.status), kept.seconds)

    def _give_up(self, unit: Unit, opened: Opened, error: GraderError, seconds: float) -> bool:
        """False where a failure of ours will be tried again: not what would go the same way, and not for ever."""
        self._store.end(unit.run.id, "ungraded", seconds, str(error))
        if isinstance(error, SandboxUnavailable) and not self._any_ran:
            raise error
        if isinstance(error, TaskBroken | AttestationFailed) or unit.number > len(RETRY_S):
            opened.errors.append(error)
            return True
        wait = RETRY_S[unit.number - 1]
        self._show.retry(unit.submission.id, unit.task.id, str(error), wait)
        again = self._opener.unit(opened, unit.task.id, unit.number + 1)
        heapq.heappush(self._later, (time.monotonic() + wait, next(self._order), again))
        return False

    def _finish(self, opened: Opened) -> None:
        """Writes the report once every task has a result."""
        if len(opened.parts) < len(opened.tasks):
            return
        parts = [opened.parts[task.id] for task in opened.tasks]
        report, files = assembly.assemble(opened.submission, parts, opened.run)
        self._publish(opened.found, report, files, opened.key if opened.is_lasting else "")
        del self._open[opened.found.id]

    def _reject(self, found: Found, error: SubmissionRejected) -> None:
        report, key = self._opener.rejected(found, error)
        if not self._is_as_it_was(found, key):
            self._publish(found, report, {}, key)

    def _publish(self, found: Found, report: Report, files: Mapping[str, bytes], key: str) -> None:
        """Writes the report, then says so in the store: a crash in between only writes it again."""
        row = JobRow(
            id=found.id,
            source=found.path.name,
            state=str(report.status),
            percent=report.score.percent,
            reason=report.reason,
            report_key=key,
            report_sha256=assembly.write(report, files, self._out / found.id),
        )
        self._settle(row, {task.id: task.score for task in report.tasks})

    def _settle(self, row: JobRow, scores: Mapping[str, Score]) -> None:
        self._store.settle(row)
        self.rows.append(row)
        self._show.settled(row, scores)


def _nothing(unit: Unit, error: GraderError) -> Judged:
    result = TaskResult(task=unit.task, status=TaskStatus.UNGRADED, reason=str(error))
    return Judged(result=result, error=error)


def _as_ours(error: BaseException | None) -> GraderError:
    """An error of ours as a reason: a bug in one job must not end the batch of a hundred."""
    if isinstance(error, GraderError):
        return error
    return Ungraded(f"a bug in grader: {type(error).__name__}: {sanitize_line(str(error), 300)}")
