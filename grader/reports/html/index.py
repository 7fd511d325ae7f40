"""The page over all submissions: a table to sort and filter, how scores are spread, what separates people."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern
from typing import Final

from grader.model import Json
from grader.reports.effective import total
from grader.reports.html.items import FEW, Item, is_empty, items_of
from grader.reports.html.notes import Mark, marks, to_review
from grader.reports.html.render import render
from grader.reports.html.words import Words, words

BINS: Final = 10
MAX_CELLS: Final = 24
"""People whose cells have room for a number; more become a strip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A submission in the table."""

    id: str
    name: str
    status: str
    score: Json | None
    """None where nothing was graded."""
    machine: Json
    tasks: tuple[Json | None, ...]
    """The score of each task of the table; None where it was not handed in or not graded."""
    marks: tuple[Mark, ...]
    review: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """How the percentages of a task, or of the whole, are spread over ten bins."""

    name: str
    bins: tuple[int, ...]
    count: int
    mean: float
    median: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A column of the heat map."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heat:
    """A task's criteria over those who handed it in, best first."""

    task: Json
    items: tuple[Item, ...]
    people: tuple[Person, ...]

    @property
    def in_cells(self) -> bool:
        """True where each person has a column with a number."""
        return len(self.people) <= MAX_CELLS

    @property
    def few(self) -> bool:
        """True where a correlation says next to nothing."""
        return len(self.people) < FEW

    @property
    def ranking(self) -> str:
        """Ids and names as JSON, for the names under the pointer."""
        return json.dumps([[person.id, person.name] for person in self.people], ensure_ascii=False)


def index_page(records: Iterable[Json], *, lang: str) -> str:
    """The page. The records may have different tasks and any status; each is needed once, and only a little is kept."""
    said = words(lang)
    ranked = sorted((_brief(record, said) for record in records), key=_rank)
    tasks = _tasks(ranked)
    rows = [_row(record, tasks) for record in ranked]
    people = [record for record in ranked if record["status"] == "graded"]
    heats = [_heat(task, people) for task in tasks.values()]
    context = {
        "tasks": list(tasks.values()),
        "rows": rows,
        "statuses": sorted({row.status for row in rows}),
        "spreads": _spreads(rows, tasks, said),
        "heats": [heat for heat in heats if len(heat.people) > 1 and heat.items],
        "few": FEW,
        "versions": sorted({record["grader"]["version"] for record in ranked}),
        "review": sum(row.review for row in rows),
        "by_people": sum(record["by_people"] for record in ranked),
    }  # fmt: skip
    return render("index.html.jinja", said, context)


def _brief(record: Json, said: Words) -> Json:
    """What the page shows of a record, in the record's form: a tenth of it, so that a thousand need little memory."""
    return {
        "submission": {name: record["submission"][name] for name in ("id", "candidate")},
        "grader": {"version": intern(record["grader"]["version"])},
        "status": intern(record["status"]),
        **_scores(record),
        "tasks": [_brief_task(task) for task in record["tasks"]],
        "marks": marks(record, said),
        "to_review": sum(len(to_review(task)) for task in record["tasks"]),
        "by_people": record.get("review", {}).get("in_effect", 0),
    }


def _brief_task(task: Json) -> Json:
    """A task with its criteria; of its questions those that are empty, and one that says that it has some."""
    return {
        **{name: intern(task[name]) for name in ("task", "title", "title_zh", "status")},
        **_scores(task),
        "criteria": [_brief_criterion(row) for row in task["criteria"]],
        "questions": [
            _brief_question(row["id"], empty=is_empty(row))
            for number, row in enumerate(task["questions"])
            if number == 0 or is_empty(row)
        ],
    }


def _brief_criterion(row: Json) -> Json:
    texts = {name: intern(row[name]) for name in ("id", "title", "title_zh")}
    points = {name: row[name] for name in ("earned", "possible")}
    return texts | points | ({"reviewed_score": row["reviewed_score"]} if "reviewed_score" in row else {})


@lru_cache(maxsize=1024)
def _brief_question(name: str, *, empty: bool) -> Json:
    """The same object for everybody."""
    return {"id": name, "flags": ["unanswered"] if empty else [], "language": "none" if empty else "some"}


def _scores(row: Json) -> Json:
    return {name: row[name] for name in ("score", "reviewed_score") if name in row}


def _rank(record: Json) -> tuple[bool, float, str]:
    """Graded ones first, by their score."""
    return record["status"] == "ungraded", -total(record)["percent"], record["submission"]["id"]


def _tasks(records: Sequence[Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for task in (task for record in records for task in record["tasks"]):
        found.setdefault(task["task"], task)
    return dict(sorted(found.items(), key=lambda pair: (bool(pair[1]["questions"]), pair[0])))


def _name(record: Json) -> str:
    name: str = record["submission"]["candidate"] or record["submission"]["id"]
    return name


def _row(record: Json, tasks: dict[str, Json]) -> Row:
    by_id = {task["task"]: task for task in record["tasks"]}
    return Row(
        id=record["submission"]["id"],
        name=_name(record),
        status=record["status"],
        score=None if record["status"] == "ungraded" else total(record),
        machine=record["score"],
        tasks=tuple(_task_score(by_id.get(name)) for name in tasks),
        marks=record["marks"],
        review=record["to_review"],
    )


def _task_score(task: Json | None) -> Json | None:
    return total(task) if task and task["status"] == "graded" else None


def _heat(task: Json, records: Sequence[Json]) -> Heat:
    """Those who handed the task in, by what it earned them: what a criterion is correlated with."""
    scores = [(_score_in(record, task["task"]), record) for record in records]
    ranked = sorted(((score, record) for score, record in scores if score), key=lambda pair: -pair[0]["percent"])
    people = [record for _, record in ranked]
    return Heat(
        task=task,
        items=items_of(task["task"], people),
        people=tuple(Person(id=record["submission"]["id"], name=_name(record)) for record in people),
    )


def _score_in(record: Json, task_id: str) -> Json | None:
    return next((_task_score(task) for task in record["tasks"] if task["task"] == task_id), None)


def _spreads(rows: Sequence[Row], tasks: dict[str, Json], said: Words) -> list[Spread]:
    named = [(said.total, [row.score for row in rows])]
    named += [
        (said.text(task, "title"), [row.tasks[index] for row in rows]) for index, task in enumerate(tasks.values())
    ]
    columns = [(name, [score["percent"] for score in scores if score]) for name, scores in named]
    return [_spread(name, values) for name, values in columns if values]


def _spread(name: str, values: Sequence[float]) -> Spread:
    bins = [0] * BINS
    for value in values:
        bins[min(int(value * BINS / 100), BINS - 1)] += 1
    return Spread(
        name=name,
        bins=tuple(bins),
        count=len(values),
        mean=statistics.fmean(values),
        median=statistics.median(values),
    )
