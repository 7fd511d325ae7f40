"""From the rows of a table to overrides: all of them, or none and the first thing that is wrong.

A row that says what the review has said already, now or earlier, is left as it is: a table exported before somebody
else's import must not undo it.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.reports.reviewed import Place, in_effect, place_of
from grader.review.record import MAX_REASON, MAX_REVIEWER, Addition, Override
from grader.review.results import Result
from grader.review.table import Row, number, version
from grader.text import sanitize_line

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_SHOWN = 8
"""Names that a message lists."""


class _Wrong(Exception):
    """What is wrong with a row, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """What a table adds to which review, and how many of its rows add nothing."""

    additions: Mapping[Path, Addition]
    unchanged: int = 0
    """Rows that repeat what is in effect."""
    overtaken: int = 0
    """Rows that repeat what was replaced since."""

    @property
    def added(self) -> int:
        """The number of new overrides."""
        return sum(len(addition.overrides) for addition in self.additions.values())


_Given = dict[tuple[str, Place], tuple[int, Override]]
"""By submission and place: the row that decides it, and what."""


def checked_reviewer(name: str) -> str:
    """A reviewer's name on one line. Raises UsageError where nothing is left of it, or too much."""
    clean = sanitize_line(name, len(name) + 1).strip()
    if not clean or len(clean) > MAX_REVIEWER:
        raise UsageError(f"a reviewer's name has 1 to {MAX_REVIEWER} characters", hint="--reviewer NAME")
    return clean


def decide(rows: Sequence[Row], results: Sequence[Result], reviewer: str, at: str) -> Decisions:
    """The overrides of the rows that have human points. Raises UsageError for the first row that is wrong."""
    known = {result.id: result for result in results}
    given: _Given = {}
    problems = []
    for row in rows:
        try:
            _take(row, given, _override(row, known, reviewer, at))
        except _Wrong as error:
            problems.append(f"row {row.number}: {error}")
    if problems:
        more = f"{len(problems) - 1} more are wrong; " if len(problems) > 1 else ""
        raise UsageError(problems[0], hint=f"{more}nothing was imported")
    return _new(known, given)


def _take(row: Row, given: _Given, found: tuple[Result, Override] | None) -> None:
    """Adds what a row decides. Raises _Wrong where another row has decided it."""
    if found is None:
        return
    result, override = found
    before = given.setdefault((result.id, override.place), (row.number, override))
    if before[0] != row.number:
        raise _Wrong(f"{override.place} of {result.id} is in row {before[0]} already")


def _override(row: Row, known: Mapping[str, Result], reviewer: str, at: str) -> tuple[Result, Override] | None:
    """What a row decides, or None where it decides nothing. Raises _Wrong."""
    cells = row.cells
    if row.overlong:
        raise _Wrong("it has more cells than the header; put a text with commas in quotes")
    if not cells["human_points"]:
        if cells["reason"]:
            raise _Wrong("a reason without human_points")
        return None
    if cells["submission"] not in known:
        raise _Wrong(f"no submission {_name(cells['submission'])}; there are {_listed(known)}")
    result = known[cells["submission"]]
    place = _place(cells, result)
    there = result.places[place]
    _same_version(cells, result, there["possible"])
    override = Override(
        place=place,
        points=_points(cells["human_points"], there["possible"]),
        possible=there["possible"],
        machine=there["earned"],
        reason=_reason(cells["reason"]),
        reviewer=reviewer,
        at=at,
        submission_sha256=result.record["submission"]["sha256"],
    )
    return result, override


def _place(cells: Mapping[str, str], result: Result) -> Place:
    """The one place that a row names; a table may leave out the task where that is enough."""
    exact = Place(task=cells["task"], question=cells["question"], item=cells["point"])
    if exact in result.places:
        return exact
    named = [place for place in result.places if not cells["task"] or place.task == cells["task"]]
    if not named:
        graded = {task["task"]: None for task in result.record["tasks"] if task["status"] == "graded"}
        raise _Wrong(f"{result.id} has no graded task {_name(cells['task'])}; there are {_listed(graded)}")
    asked = [place for place in named if place.question == cells["question"]]
    if not asked:
        questions = dict.fromkeys(place.question for place in named if place.question)
        raise _Wrong(f"{result.id} has no question {_name(cells['question'])}; there are {_listed(questions)}")
    found = [place for place in asked if place.item == cells["point"]]
    if not found:
        of = f" of question {cells['question']}" if cells["question"] else ""
        items = dict.fromkeys(place.item for place in asked)
        raise _Wrong(f"{result.id} has no point {_name(cells['point'])}{of}; there are {_listed(items)}")
    if len(found) > 1:
        raise _Wrong(f"several tasks have a point {_name(cells['point'])}; fill in the column task")
    return found[0]


def _same_version(cells: Mapping[str, str], result: Result, possible: float) -> None:
    """Raises _Wrong where the row is about something that was graded anew since the table was made."""
    if cells["version"] and cells["version"] != version(result.record):
        raise _Wrong(f"{result.id} handed in something else since this table was exported; export again")
    if cells["possible"] and read_number(cells["possible"]) != possible:
        raise _Wrong(
            f"it was worth {cells['possible']} points in this table and is {number(possible)} now; export again"
        )


def _points(cell: str, possible: float) -> float:
    points = read_number(cell)
    if points is None:
        raise _Wrong(f"human_points {_name(cell)} is not a number")
    if not 0 <= points <= possible:
        raise _Wrong(f"human_points {number(points)} is not within 0 and {number(possible)}")
    return points


def read_number(cell: str) -> float | None:
    """Points in hundredths: full-width digits and a decimal comma are fine, a separator of thousands is not."""
    text = unicodedata.normalize("NFKC", cell).strip()
    text = text.replace(",", ".") if text.count(",") == 1 and "." not in text else text
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return round(value, 2) if math.isfinite(value) else None


def _reason(cell: str) -> str:
    if not cell:
        raise _Wrong("human_points without a reason")
    if len(cell) > MAX_REASON:
        raise _Wrong(f"a reason of {len(cell)} characters; {MAX_REASON} are enough")
    return cell


def _new(known: Mapping[str, Result], given: _Given) -> Decisions:
    """What the reviews do not say already."""
    new: dict[str, list[Override]] = {}
    unchanged = overtaken = 0
    for (name, place), (_, override) in given.items():
        result = known[name]
        if _says(in_effect(result.review).get(place), override):
            unchanged += 1
        elif any(place_of(row) == place and _says(row, override) for row in result.review["overrides"]):
            overtaken += 1
        else:
            new.setdefault(name, []).append(override)
    additions = {
        known[name].review_path: Addition(submission=name, overrides=tuple(overrides))
        for name, overrides in new.items()
    }
    return Decisions(additions=additions, unchanged=unchanged, overtaken=overtaken)


def _says(row: object, override: Override) -> bool:
    """True where an entry of a review gives the same points to the same thing for the same reason."""
    names = ("points", "possible", "reason", "submission_sha256")
    return isinstance(row, dict) and all(row[name] == getattr(override, name) for name in names)


def _name(text: str) -> str:
    return repr(sanitize_line(text, 60))


def _listed(names: Mapping[str, object]) -> str:
    """Some names, for a message."""
    shown = list(names)[:_SHOWN]
    return (", ".join(shown) or "none") + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
