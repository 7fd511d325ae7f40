"""What a reviewer's form asks for, done: accept, give points, take back, undo; or the reason why it was not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from grader.errors import UsageError
from grader.reports.reviewed import Place
from grader.review.record import ReviewConflict
from grader.review.table import number
from grader.review.web.items import Item, Key
from grader.review.web.saving import Decision, Undo, counts_of, points_for, reason_for, save, take_back
from grader.review.web.sheet import said
from grader.review.web.words import words_of

Form = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a form: a message, or a problem with what the reviewer had typed, which must not be lost."""

    row: int = 0
    """The number of the place, from 1; 0 for all."""
    message: str = ""
    problem: str = ""
    title: str = ""
    status: int = 200
    points: str = ""
    reason: str = ""
    key: Key | None = None
    stays: bool = False
    """True where the reviewer wants to see the place again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A reviewer, and the browser that remembers what it can undo."""

    name: str
    browser: str


class _Shelf(Protocol):
    def item(self, key: Key, /) -> Item | None: ...


class _Wrong(Exception):
    """Why a form that says something sensible is not followed."""


@dataclass(slots=True)
class Acts:
    """Carries out forms, and remembers for each browser what can be undone."""

    _undo: Undo = field(default_factory=Undo)

    def undoable(self, browser: str) -> int:
        """How many decisions this browser can undo."""
        return self._undo.count(browser)

    def decide(self, item: Item, form: Form, who: Who, lang: str) -> Outcome:
        """Writes what the form says. A form that cannot be followed writes nothing and gives a problem."""
        words, row = words_of(lang), _row_number(form, item)
        typed = Outcome(row=row, points=form.get("points", ""), reason=form.get("reason", ""))
        try:
            _may_decide(item, form, who, words)
            decisions, message = _asked(item, form, row, lang)
            done = save(item, decisions, who.name, _seen(item, form))
        except ReviewConflict:
            text = words["conflict text"].format(_typed(item, form, row)) if row else words["conflict all"]
            return replace(typed, problem=text, title=words["conflict"], status=409)
        except _Wrong as error:
            return replace(typed, problem=str(error), title=words["wrong"], status=409)
        except UsageError as error:
            return replace(typed, problem=str(error), title=words["wrong"], status=422)
        if form.get("act") != "take back":
            self._undo.push(who.browser, done)
        return Outcome(row=row, message=message, stays=form.get("act") == "take back")

    def undo(self, shelf: _Shelf, who: Who, lang: str) -> Outcome:
        """Takes back this browser's last decision, unless somebody decided anew since."""
        words, done = words_of(lang), self._undo.pop(who.browser)
        if done is None:
            return Outcome(problem=words["nothing to undo"])
        item = shelf.item(done.key)
        if item is None:
            return Outcome(problem=words["missing"])
        names = list(item.rows)
        row = next((names.index(place) + 1 for place in done.counts if place in names), 1)
        try:
            take_back(item, done, who.name, words["withdrawn"])
        except ReviewConflict:
            return Outcome(problem=words["conflict undo"], key=done.key, row=row)
        self._undo.settle(who.browser, done)
        titles = ", ".join(item.rows[place]["title"] or place.item for place in done.counts)
        return Outcome(message=words["undone"].format(titles), key=done.key, row=row)


def _may_decide(item: Item, form: Form, who: Who, words: Form) -> None:
    """Raises _Wrong without a name, or where the form is about another grading."""
    if not who.name:
        raise _Wrong(words["who"])
    if form.get("run") != item.result.record["run"]["id"]:
        raise _Wrong(words["regraded"])


def _asked(item: Item, form: Form, row: int, lang: str) -> tuple[list[Decision], str]:
    """The decisions that a form asks for, and what to say when they are saved. Raises UsageError."""
    words, act = words_of(lang), form.get("act", "")
    if act == "accept all":
        open_rows = {place: line for place, line in item.rows.items() if not line.get("human")}
        rows = [Decision(place=p, points=line["earned"], reason=words["accepted"]) for p, line in open_rows.items()]
        return rows, words["saved all"].format(", ".join(line["title"] or p.item for p, line in open_rows.items()))
    if not row:
        raise UsageError("the form names no point")
    place = list(item.rows)[row - 1]
    line = item.rows[place]
    if act == "take back":
        return [Decision(place=place, points=None, reason=words["withdrawn"])], words["undone"].format(line["title"])
    if act == "accept":
        points, reason = line["earned"], words["accepted"]
    else:
        points, reason = points_for(form.get("points", ""), line["possible"]), reason_for(form.get("reason", ""))
    return [Decision(place=place, points=points, reason=reason)], words["saved"].format(said(line, place, points))


def _typed(item: Item, form: Form, row: int) -> str:
    """What the reviewer had wanted, to read it again."""
    line = list(item.rows.values())[row - 1]
    points = form.get("points") or number(line["earned"])
    return f"{points} / {number(line['possible'])}" + (f", “{form['reason']}”" if form.get("reason") else "")


def _row_number(form: Form, item: Item) -> int:
    text = form.get("row", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= len(item.rows) else 0


def _seen(item: Item, form: Form) -> dict[Place, int]:
    """How many entries each place had on the reviewer's page; -1, which nothing has, where the form does not say."""
    parts = form.get("seen", "").split(",")
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) < 9 else -1 for part in parts]
    now = counts_of(item)
    return dict(zip(now, numbers, strict=True)) if len(numbers) == len(now) else dict.fromkeys(now, -1)
