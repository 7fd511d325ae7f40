"""Item statistics over a batch: how hard a criterion is and whether it separates people. Pure; needs only records.

The two figures of classical test theory. Difficulty: the mean share of the points. Discrimination: the corrected
item-total correlation, which is Pearson's r between a criterion and the rest of its task, over those who handed the
task in. Bands after Ebel and Frisbie, "Essentials of Educational Measurement": 0.40 and above is very good, below 0.20
poor.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grader.model import Json
from grader.reports.correlation import correlation
from grader.reports.effective import total
from grader.reports.html.filters import share

WELL: Final = 0.4
LITTLE: Final = 0.2
ENOUGH: Final = 5
FEW: Final = 10
"""Below ENOUGH people there is no correlation, below FEW one without a word for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A criterion over all records, in their order."""

    id: str
    title: str
    title_zh: str
    possible: float
    shares: tuple[float | None, ...]
    """0 to 1; None where the task was not graded."""
    mean: float | None
    discrimination: float | None
    """None for fewer than five people, or where all have the same."""

    @property
    def full(self) -> int:
        """People with all of its points."""
        return sum(value is not None and value >= 1 for value in self.shares)

    @property
    def zero(self) -> int:
        """People with none."""
        return sum(value is not None and value <= 0 for value in self.shares)

    @property
    def some(self) -> int:
        """People in between."""
        return sum(value is not None and 0 < value < 1 for value in self.shares)

    @property
    def band(self) -> str:
        """How well it separates, as a word's name; "" where nothing can be said."""
        if self.discrimination is None:
            return ""
        if self.discrimination < 0:
            return "reversed"
        return "well" if self.discrimination >= WELL else "little" if self.discrimination < LITTLE else "somewhat"


def items_of(task_id: str, records: Sequence[Json]) -> tuple[Item, ...]:
    """The criteria of a task, in its order. Questions that nobody answered are left out: nobody was asked them."""
    tasks = [_graded(record, task_id) for record in records]
    asked = {name for task in tasks if task for name in answered(task)}
    criteria: dict[str, Json] = {}
    for row in (row for task in tasks if task for row in task["criteria"]):
        criteria.setdefault(row["id"], row)
    return tuple(_item(row, tasks) for name, row in criteria.items() if name in asked)


def answered(task: Json) -> list[str]:
    """The criteria of a task but for its unanswered questions."""
    empty = {question["id"] for question in task["questions"] if is_empty(question)}
    return [row["id"] for row in task["criteria"] if row["id"] not in empty]


def is_empty(question: Json) -> bool:
    """True where nothing was handed in. A candidate's copy has no flags, so the language says it too."""
    return "unanswered" in question["flags"] or (question["language"] == "none" and not question["flags"])


def _graded(record: Json, task_id: str) -> Json | None:
    return next((task for task in record["tasks"] if task["task"] == task_id and task["status"] == "graded"), None)


def _item(row: Json, tasks: Sequence[Json | None]) -> Item:
    own = [_score(task, row["id"]) if task else None for task in tasks]
    pairs = [
        (score["earned"], total(task)["earned"] - score["earned"])
        for task, score in zip(tasks, own, strict=True)
        if task and score
    ]
    shares = tuple(share(score) if score else None for score in own)
    known = [value for value in shares if value is not None]
    return Item(
        id=row["id"],
        title=row["title"],
        title_zh=row["title_zh"],
        possible=row["possible"],
        shares=shares,
        mean=math.fsum(known) / len(known) if known else None,
        discrimination=correlation(pairs, least=ENOUGH),
    )


def _score(task: Json, criterion: str) -> Json | None:
    return next((total(row) for row in task["criteria"] if row["id"] == criterion), None)
