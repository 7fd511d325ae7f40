"""What a decision writes: overrides through `review.record`, checked against what the reviewer had seen."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from grader.errors import UsageError
from grader.reports.reviewed import Place, in_effect
from grader.review.decisions import read_number
from grader.review.record import MAX_REASON, Addition, Override, ReviewConflict, add_overrides, entry_counts
from grader.review.table import number
from grader.review.web.items import Item, Key
from grader.text import sanitize_line

_REMEMBERED: Final = 200
"""Decisions of one browser that `undo` can reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Points for one place, and why; None as `points` takes back what is in effect."""

    place: Place
    points: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What one press of a key wrote: how many entries each place has since."""

    key: Key
    counts: Mapping[Place, int]


@dataclass(slots=True)
class Undo:
    """The decisions of each browser, so that it can take its own back; safe to use from several threads."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _done: dict[str, deque[Done]] = field(default_factory=dict)

    def push(self, browser: str, done: Done) -> None:
        """Remembers what a browser decided."""
        with self._lock:
            self._done.setdefault(browser, deque(maxlen=_REMEMBERED)).append(done)

    def pop(self, browser: str) -> Done | None:
        """The last decision of a browser, which is then forgotten; None where there is none."""
        with self._lock:
            return self._done[browser].pop() if self._done.get(browser) else None

    def settle(self, browser: str, undone: Done) -> None:
        """Carries the browser's decision before an undone one over the entry that took that one back."""
        with self._lock:
            self._done[browser] = deque((_carried(done, undone) for done in self._done[browser]), maxlen=_REMEMBERED)

    def count(self, browser: str) -> int:
        """How many decisions can be undone."""
        with self._lock:
            return len(self._done.get(browser, ()))


def _carried(done: Done, undone: Done) -> Done:
    """`done` with new counts where nobody decided between it and `undone`, which has one entry more by now."""
    after = {place: count + 1 for place, count in undone.counts.items() if done.counts.get(place) == count - 1}
    return Done(key=done.key, counts={**done.counts, **after}) if done.key == undone.key else done


def points_for(text: str, possible: float) -> float:
    """Points as somebody typed them. Raises UsageError where they are none, or out of range."""
    points = read_number(text)
    if points is None or not 0 <= points <= possible:
        raise UsageError(f"points are a number from 0 to {number(possible)}")
    return points


def reason_for(text: str) -> str:
    """A reason on one line. Raises UsageError where there is none."""
    reason = sanitize_line(text, MAX_REASON + 1)
    if not reason or len(reason) > MAX_REASON:
        raise UsageError(f"a reason has 1 to {MAX_REASON} characters")
    return reason


def save(item: Item, decisions: Sequence[Decision], reviewer: str, seen: Mapping[Place, int]) -> Done:
    """Writes the decisions, all or none, unless a place has entries that the reviewer had not seen.

    A decision that the same reviewer has made already (a button pressed twice) is left as it is. Raises ReviewConflict,
    and UsageError where review.json cannot be written.
    """
    new = [decision for decision in decisions if not _says(item, decision, reviewer)]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    additions = [_override(item, decision, reviewer, at) for decision in new]
    checked = {decision.place: seen[decision.place] for decision in new}
    if additions:
        addition = Addition(submission=item.result.id, overrides=additions, seen=checked)
        add_overrides({item.result.review_path: addition})
    return Done(key=item.key, counts={place: count + 1 for place, count in checked.items()})


def take_back(item: Item, done: Done, reviewer: str, reason: str) -> None:
    """Takes back what `save` wrote. Raises ReviewConflict where somebody decided anew since."""
    decisions = [Decision(place=place, points=None, reason=reason) for place in done.counts]
    if any(decision.place not in item.rows for decision in decisions):
        raise ReviewConflict("the submission was graded again since", hint="nothing was written; look again")
    save(item, decisions, reviewer, done.counts)


def counts_of(item: Item) -> dict[Place, int]:
    """How many entries each place of the item has."""
    counts = entry_counts(item.result.review)
    return {place: counts[place] for place in item.rows}


def _says(item: Item, decision: Decision, reviewer: str) -> bool:
    """True where just this is in effect."""
    row = in_effect(item.result.review).get(decision.place)
    if decision.points is None or row is None or row["submission_sha256"] != _sha256(item):
        return False
    given = (row["points"], row["reason"], row["reviewer"], row["possible"])
    return given == (decision.points, decision.reason, reviewer, item.rows[decision.place]["possible"])


def _override(item: Item, decision: Decision, reviewer: str, at: str) -> Override:
    row = item.rows[decision.place]
    return Override(
        place=decision.place,
        points=row["earned"] if decision.points is None else decision.points,
        possible=row["possible"],
        machine=row["earned"],
        reason=decision.reason,
        reviewer=reviewer,
        at=at,
        submission_sha256=_sha256(item),
        withdrawn=decision.points is None,
    )


def _sha256(item: Item) -> str:
    sha256: str = item.result.record["submission"]["sha256"]
    return sha256
