"""What a batch says about its questions: which are hard, and which tell people apart. From records alone.

Classical item analysis (Crocker and Algina, "Introduction to Classical and Modern Test Theory", ch. 14). Difficulty is
the mean share of an item's points, so that a high value means an easy item. Discrimination is the corrected item-total
correlation: Pearson's r of an item's share with the points of everything else in the same whole, so that an item is
not correlated with itself. Points that people gave count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from grader.model import Json
from grader.reports.as_json import dumps
from grader.reports.cells import in_csv, number
from grader.reports.correlation import correlation
from grader.reports.effective import OURS, earned, total

COLUMNS: Final = (
    "level", "task", "item", "title", "possible", "people", "difficulty", "spread", "full", "partial", "none",
    "discrimination", "remark",
)  # fmt: skip
LEVELS: Final = ("task", "criterion", "check")
_LEAST: Final = 3
_FEW: Final = 10
_WEAK: Final = 0.2
"""Below this an item hardly tells people apart (Ebel's rule of thumb); below 0 it points the wrong way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One task, criterion or check over all who were graded for it."""

    level: str
    task: str
    id: str
    title: str
    possible: float
    shares: tuple[float, ...]
    """Of the item's points, one for each person, 0 to 1."""
    rests: tuple[float, ...]
    """Points of everything else in the same whole (task; report), one for each person."""

    @property
    def difficulty(self) -> float:
        """The mean share: 1 is an item that everybody has."""
        return math.fsum(self.shares) / len(self.shares)

    @property
    def spread(self) -> float:
        """The standard deviation of the shares (of these people, not an estimate for others)."""
        mean = self.difficulty
        return math.sqrt(math.fsum((share - mean) ** 2 for share in self.shares) / len(self.shares))

    @property
    def discrimination(self) -> float | None:
        """Corrected item-total correlation; None for fewer than three people, or where either side is all the same."""
        return correlation(list(zip(self.shares, self.rests, strict=True)), least=_LEAST)

    def reached(self) -> tuple[int, int, int]:
        """How many have all points, some, none."""
        full = sum(share >= 1 - 1e-9 for share in self.shares)
        none = sum(share <= 1e-9 for share in self.shares)
        return full, len(self.shares) - full - none, none


def items_of(records: Sequence[Json]) -> list[Item]:
    """The items of all tasks that were graded for somebody, by task, in the rubric's order."""
    rows: dict[tuple[str, str, str], list[tuple[float, float]]] = {}
    about: dict[tuple[str, str, str], tuple[str, float]] = {}
    for record in records:
        for level, task, item, title, share, possible, rest in _rows(record):
            key = (level, task, item)
            rows.setdefault(key, []).append((share, rest))
            about.setdefault(key, (title, possible))
    order = sorted(rows, key=lambda key: (key[1], LEVELS.index(key[0])))
    return [
        Item(
            level=key[0], task=key[1], id=key[2], title=about[key][0], possible=about[key][1],
            shares=tuple(share for share, _ in rows[key]), rests=tuple(rest for _, rest in rows[key]),
        )
        for key in order
    ]  # fmt: skip


def _rows(record: Json) -> Iterator[tuple[str, str, str, str, float, float, float]]:
    """Of one person: level, task, item, title, share, possible points, points of the rest."""
    graded = [task for task in record["tasks"] if task["status"] == "graded" and task["score"]["possible"]]
    whole = math.fsum(total(task)["earned"] for task in graded)
    for task in graded:
        score = total(task)
        name = task["task"]
        yield (
            "task",
            name,
            name,
            task["title"],
            _share(score["earned"], score["possible"]),
            score["possible"],
            (whole - score["earned"]),
        )
        for row in task["criteria"]:
            points = total(row)["earned"]
            rest = score["earned"] - points
            yield "criterion", name, row["id"], row["title"], _share(points, row["possible"]), row["possible"], rest
        for check in task["checks"]:
            if check["outcome"] in OURS:
                continue
            points = earned(check)
            rest = score["earned"] - points
            yield "check", name, check["id"], check["title"], _share(points, check["possible"]), check["possible"], rest


def _share(points: float, possible: float) -> float:
    return min(points / possible, 1.0) if possible else 1.0


def remark(item: Item) -> str:
    """What stands out, in a few words; "" for nothing. With few people everything is chance."""
    value, (full, _, none) = item.discrimination, item.reached()
    if full == len(item.shares):
        return "everybody has it"
    if none == len(item.shares):
        return "nobody has it"
    if value is None or len(item.shares) < _FEW:
        return "too few people to tell"
    if value < 0:
        return "points the wrong way"
    return "hardly tells people apart" if value < _WEAK else ""


def as_json(items: Sequence[Item], people: int) -> str:
    """The figures as a document."""
    return dumps({"schema_version": 1, "people": people, "items": [_row(item) for item in items]})


def as_csv(items: Sequence[Item]) -> str:
    """The figures as a table for a spreadsheet."""
    rows = [{name: _cell(value) for name, value in _row(item).items()} for item in items]
    return in_csv(rows, COLUMNS)


def as_text(items: Sequence[Item], people: int, level: str) -> str:
    """The items of one level, hardest first within a task."""
    shown = sorted((item for item in items if item.level == level), key=lambda item: (item.task, item.difficulty))
    lines = [f"{people} submissions: mean share of the points, correlation with the rest, how many reached it"]
    for item in shown:
        value = item.discrimination
        full, partial, none = item.reached()
        name = f"{item.task} / {item.id}" if item.id != item.task else item.task
        sign = "    -" if value is None else f"{value:+.2f}"
        counts = f"{full} full, {partial} partial, {none} none"
        lines.append(f"  {name:44} {item.difficulty:5.0%}  {sign:>5}  {counts:30} {remark(item)}".rstrip())
    return "\n".join(lines) + "\n"


def _row(item: Item) -> Json:
    full, partial, none = item.reached()
    value = item.discrimination
    return {
        "level": item.level, "task": item.task, "item": item.id, "title": item.title, "possible": item.possible,
        "people": len(item.shares), "difficulty": round(item.difficulty, 4), "spread": round(item.spread, 4),
        "full": full, "partial": partial, "none": none,
        "discrimination": None if value is None else round(value, 4), "remark": remark(item),
    }  # fmt: skip


def _cell(value: object) -> str:
    return "" if value is None else number(value) if isinstance(value, int | float) else str(value)
