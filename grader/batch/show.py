"""What a person sees of a batch while it runs: a table that moves on a terminal, plain lines elsewhere, or nothing.

Everything goes to standard error. A look only reads what it is told; it decides nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

import click

from grader.batch.unit import Opinion
from grader.model import CheckResult, Outcome, Score
from grader.runners.protocol import Slot
from grader.store import JobRow
from grader.text import sanitize_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_REFRESH: Final = 4
_OURS: Final = "for a reason of ours, which stands in the whole report"
_HUES: Final = {"graded": "green", "rejected": "yellow", "ungraded": "red"}


@dataclass(slots=True)
class Busy:
    """What a slot is doing."""

    submission: str
    task: str
    since: float
    checks: int = 0
    passed: int = 0
    points: int = 0
    """Points of written answers that a language model has marked."""
    helps: bool = False
    """It runs a part of the checks, and the slot that has the task counts them."""

    def words(self) -> str:
        """How far it is."""
        if self.helps:
            return "helps with its checks"
        if self.points:
            return f"second opinion: {self.points} points"
        return f"{self.checks} checks, {self.passed} passed" if self.checks else "starting"


class Tally:
    """The running results: how many of what, the mean, the time that is left."""

    def __init__(self, total: int, slots: int) -> None:
        self.total, self._slots = total, slots
        self.counts: dict[str, int] = {}
        self.stored = 0
        self._percents = 0.0
        self._started = time.monotonic()
        self._seconds = 0.0

    def add(self, row: JobRow, *, stored: bool) -> None:
        """One more submission is settled."""
        self.counts[row.state] = self.counts.get(row.state, 0) + 1
        self.stored += stored
        self._percents += row.percent if row.state == "graded" else 0.0

    def worked(self, seconds: float) -> None:
        """A slot was busy for so long."""
        self._seconds += seconds

    @property
    def done(self) -> int:
        """Submissions that are settled."""
        return sum(self.counts.values())

    @property
    def elapsed_s(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._started

    def left_s(self) -> float | None:
        """What the rest will take if it is like what was graded in this run; None while that says little."""
        fresh = self.done - self.stored
        if fresh < max(self._slots, 2) or not self._seconds:
            return None
        return (self.total - self.done) * self._seconds / fresh / self._slots

    def words(self) -> str:
        """For example "12 of 100: 10 graded, 2 rejected; mean 71.2 %; about 3 min left"."""
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.counts.items()))
        parts = [f"{self.done} of {self.total}" + (f": {counts}" if counts else "")]
        if self.counts.get("graded"):
            parts.append(f"mean {self._percents / self.counts['graded']:.1f} %")
        left = self.left_s()
        if left is not None and self.done < self.total:
            parts.append(f"about {duration(left)} left")
        return "; ".join(parts)


class Show(Protocol):
    """Told of everything that happens."""

    def started(self, slot: Slot, submission: str, task: str, *, helps: bool = False) -> None:
        """A task starts in a slot; `helps`: a part of one that has another slot."""

    def told(self, slot: Slot, what: object) -> None:
        """A running task says something: a CheckResult, an Opinion, or a line about the machine."""

    def ended(self, slot: Slot, seconds: float) -> None:
        """The slot is free again."""

    def retry(self, submission: str, task: str, reason: str, wait_s: float) -> None:
        """We failed, and try again."""

    def stopping(self) -> None:
        """Somebody asked to stop; what runs is being ended."""

    def kept(self, row: JobRow) -> None:
        """A submission is as it was."""

    def settled(self, row: JobRow, scores: Mapping[str, Score]) -> None:
        """A submission has a new report."""


class Lines:
    """A line for each submission, for logs. Also the base of the table: it keeps the tally."""

    public = False
    """Candidates may read it: why we failed is not said."""

    def __init__(self, total: int, slots: int) -> None:
        self.tally = Tally(total, slots)
        self._busy: dict[int, Busy] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def say(self, line: str, hue: str = "") -> None:  # noqa: ARG002 -- a log has no colours
        """Prints a line that stays."""
        click.echo(line, err=True)

    def started(self, slot: Slot, submission: str, task: str, *, helps: bool = False) -> None:
        """See Show."""
        self._busy[slot.number] = Busy(submission, task, time.monotonic(), helps=helps)

    def told(self, slot: Slot, what: object) -> None:
        """See Show."""
        busy = self._busy.get(slot.number)
        if busy is not None and isinstance(what, CheckResult):
            busy.checks += 1
            busy.passed += what.outcome is Outcome.PASSED
        elif busy is not None and isinstance(what, Opinion):
            busy.points += 1
        elif isinstance(what, str) and not self.public:
            self.say(sanitize_line(what), "yellow")

    def ended(self, slot: Slot, seconds: float) -> None:
        """See Show."""
        self._busy.pop(slot.number, None)
        self.tally.worked(seconds)

    def retry(self, submission: str, task: str, reason: str, wait_s: float) -> None:
        """See Show."""
        shown = _OURS if self.public else sanitize_line(reason)
        self.say(f"{submission}: {task}: {shown}; again in {wait_s:g} s", "yellow")

    def stopping(self) -> None:
        """See Show."""
        self.say("stopping what runs ...", "yellow")

    def kept(self, row: JobRow) -> None:
        """See Show."""
        self.tally.add(row, stored=True)

    def settled(self, row: JobRow, scores: Mapping[str, Score]) -> None:
        """See Show."""
        self.tally.add(row, stored=False)
        width = len(str(self.tally.total))
        head = f"[{self.tally.done:{width}}/{self.tally.total}] {row.id}"
        if row.state == "graded":
            parts = ", ".join(f"{task} {score.percent:g}" for task, score in scores.items())
            self.say(f"{head}: {row.percent:g} % ({parts})", _HUES["graded"])
        else:
            ours = self.public and row.state != "rejected"  # why intake refused is the candidate's to know
            reason = _OURS if ours else sanitize_line(row.reason, 160)
            self.say(f"{head}: {row.state}: {reason}", _HUES.get(row.state, ""))


class Nothing(Lines):
    """Prints nothing; keeps the tally."""

    def say(self, line: str, hue: str = "") -> None:
        """See Lines."""


class Live(Lines):
    """A table below the lines, with what runs where; rewritten four times a second."""

    def __init__(self, total: int, slots: int) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        super().__init__(total, slots)
        self._slots = slots
        self._console = Console(stderr=True, highlight=False)
        self._live = RichLive(
            get_renderable=self._table, console=self._console, refresh_per_second=_REFRESH, transient=True
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def say(self, line: str, hue: str = "") -> None:
        """See Lines."""
        from rich.text import Text

        self._console.print(Text(line, style=hue), soft_wrap=True)  # a style of print's would reach the table too

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table: Table = Table(box=None, pad_edge=False, show_header=False)
        now = time.monotonic()
        for number in range(self._slots):
            busy = self._busy.get(number)
            cells = (
                (busy.submission, busy.task, busy.words(), f"{now - busy.since:.0f} s") if busy else ("-", "", "", "")
            )
            table.add_row(Text(f"slot {number + 1}", style="dim"), *(Text(cell) for cell in cells))
        return Group(Text(""), table, Text(f"{self.tally.words()}  ({duration(self.tally.elapsed_s)})", style="bold"))


def make_show(total: int, slots: int, *, quiet: bool, public: bool = False) -> Lines:
    """What fits the place where it runs; `public`: candidates may read it."""
    kind = Nothing if quiet else Live if sys.stderr.isatty() else Lines
    show = kind(total, slots)
    show.public = public
    return show


def duration(seconds: float) -> str:
    """For example "45 s", "12 min", "3 h 05 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
