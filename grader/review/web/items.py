"""The queue: what a person can decide, the most doubtful first.

An item is what a reviewer reads in one go: one written answer with its points, or one criterion of a code task with
its checks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grader.model import Json
from grader.reports.reviewed import Place
from grader.review.results import Result
from grader.review.table import UNANSWERED

LOW_CONFIDENCE: Final = 0.6
"""Below it a verdict is nearer to a guess than to what people said: of the calibrated states only partial finds."""
OPPOSITE: Final = 0.5
"""Shares of a point that differ by this much are a disagreement between the offline grader and the language model."""
_SHARES: Final = {"met": 1.0, "partial": 0.5, "unmet": 0.0, "contradicted": 0.0}
STATES: Final = ("all", "review", "open", "done")
REVIEW, OPEN, DONE, EMPTY = "review", "open", "done", "empty"

Key = tuple[str, str, str]
"""Submission, task, and question or criterion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One answer, or the checks of one criterion, with what people decided so far."""

    result: Result
    task: Json
    name: str
    """The question's or criterion's id."""
    question: Json | None
    """The written answer's row; None for code."""
    rows: Mapping[Place, Json]
    reasons: tuple[str, ...] = ()
    """Flags of the grader, and what is doubtful beside them: why a person should look."""
    needed: bool = False
    """True where a person should look before the score counts."""

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.result.id, self.task["task"], self.name

    @property
    def candidate(self) -> str:
        """The name to show."""
        name: str = self.result.record["submission"]["candidate"]
        return name or self.result.id

    @property
    def criterion(self) -> Json:
        """Its line of the rubric; empty texts where the rubric has none of that name."""
        rows: Iterable[Json] = self.task["criteria"]
        return next((row for row in rows if row["id"] == self.name), {"title": self.name, "title_zh": ""})

    @property
    def decided(self) -> int:
        """The number of places that a person decided."""
        return sum(bool(row.get("human")) for row in self.rows.values())

    @property
    def state(self) -> str:
        """review, open, done, or empty: nothing was handed in, so there is nothing to read."""
        if self.decided == len(self.rows):
            return DONE
        if self.needed:
            return REVIEW
        return EMPTY if UNANSWERED in self.reasons else OPEN

    @property
    def machine(self) -> float:
        """Points that the machine gave."""
        return _sum(row["earned"] for row in self.rows.values())

    @property
    def possible(self) -> float:
        """Points that there are to earn."""
        return _sum(row["possible"] for row in self.rows.values())

    @property
    def earned(self) -> float:
        """Points with those of people where there are some."""
        rows = self.rows.values()
        return _sum(row["human"]["points"] if row.get("human") else row["earned"] for row in rows)

    @property
    def order(self) -> tuple[object, ...]:
        """Sorts the queue. It does not depend on decisions, so that "next" stays where it was."""
        state = REVIEW if self.needed else EMPTY if UNANSWERED in self.reasons else OPEN
        doubts = len({"disagreement", "llm_disagrees", "low_confidence", "middle_band"} & set(self.reasons))
        full = self.machine == self.possible
        return (REVIEW, OPEN, EMPTY).index(state), not self.reasons, full, -doubts, self.key[1:], self.key[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of the queue is shown; "" is everything."""

    candidate: str = ""
    question: str = ""
    """`task/question` or `task/criterion`."""
    state: str = "all"

    def takes(self, item: Item) -> bool:
        """True where the item is shown."""
        return (
            self.candidate in ("", item.result.id)
            and self.question in ("", "/".join(item.key[1:]))
            and self.state in ("all", item.state)
        )

    @property
    def query(self) -> Json:
        """As the arguments of an address; what says nothing is left out."""
        rows = {"candidate": self.candidate, "question": self.question, "state": self.state}
        return {name: value for name, value in rows.items() if value not in ("", "all")}


def _sum(points: Iterable[float]) -> float:
    return round(math.fsum(points), 2)


def items_of(results: Iterable[Result]) -> list[Item]:
    """Everything that can be decided, in the order of the queue."""
    return sorted((item for result in results for item in _items(result)), key=lambda item: item.order)


def disagrees(point: Json) -> bool:
    """True where the language model would give a clearly different share of this point."""
    opinion = point.get("llm")
    if not opinion or opinion["error"] or opinion["verdict"] not in _SHARES or not point["possible"]:
        return False
    return bool(abs(_SHARES[opinion["verdict"]] - point["earned"] / point["possible"]) >= OPPOSITE)


def doubtful(point: Json) -> bool:
    """True where the offline grader is not sure of this point."""
    return bool(point["confidence"] < LOW_CONFIDENCE)


def neighbour(items: Sequence[Item], item: Item, step: int) -> Item | None:
    """The next (1) or previous (-1) of `items`, which are in order; `item` itself need not be among them."""
    if step > 0:
        return next((other for other in items if other.order > item.order), None)
    return next((other for other in reversed(items) if other.order < item.order), None)


def next_open(items: Sequence[Item], item: Item) -> Item | None:
    """Where to go when `item` is done: the next that is not, from the start again at the end."""
    later = [other for other in items if other.order > item.order]
    rest = [other for other in (*later, *items) if other.key != item.key and other.state != DONE]
    return next((other for other in rest if other.state == REVIEW), next((o for o in rest if o.state == OPEN), None))


def _items(result: Result) -> Iterator[Item]:
    for task in result.view["tasks"]:
        if task["status"] != "graded":
            continue
        for question in task["questions"]:
            places = [
                (Place(task=task["task"], question=question["id"], item=point["id"]), point)
                for point in question["points"]
            ]
            if places:
                yield Item(
                    result=result, task=task, name=question["id"], question=question, rows=dict(places),
                    reasons=_reasons(question), needed=question["needs_review"],
                )  # fmt: skip
        yield from _criteria(result, task)


def _criteria(result: Result, task: Json) -> Iterator[Item]:
    """The criteria of a code task that have checks."""
    for criterion in dict.fromkeys(check["criterion"] for check in task["checks"]):
        checks = [check for check in task["checks"] if check["criterion"] == criterion]
        rows = {Place(task=task["task"], item=check["id"]): check for check in checks}
        reasons = dict.fromkeys(check["outcome"] for check in checks if check["outcome"] != "passed")
        yield Item(result=result, task=task, name=criterion, question=None, rows=rows, reasons=tuple(reasons))


def _reasons(question: Json) -> tuple[str, ...]:
    found = list(question["flags"])
    if UNANSWERED not in found:
        found += ["low_confidence"] if any(map(doubtful, question["points"])) else []
        found += ["disagreement"] if any(map(disagrees, question["points"])) else []
    if "llm_disagrees" in found and "disagreement" in found:
        found.remove("disagreement")
    return tuple(found)
