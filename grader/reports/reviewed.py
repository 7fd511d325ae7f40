"""A report with what people decided beside what the machine did: one never overwrites the other.

Pure: from two records to a third, of the report's schema. The machine's fields stay as they are; `human` stands beside
the points that it concerns, `reviewed_score` beside each score. Human points that were given for something else
(another version of the submission, a point that is worth something else by now) do not count and are listed, with why.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grader.model import Json, Score
from grader.reports.rows import score_of
from grader.text import sanitize_line, sanitize_text

_SHOWN = ("points", "reason", "reviewer", "at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a person can give points: a point of a question, or a check of a code task (`question` is then "")."""

    task: str
    item: str
    question: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.task, self.question, self.item) if part)


def place_of(override: Json) -> Place:
    """The place of an entry of review.json."""
    item = override["point"] if "point" in override else override["check"]
    return Place(task=override["task"], question=override.get("question", ""), item=item)


def places(record: Json) -> dict[Place, Json]:
    """Every place of a report with its row (`earned`, `possible`), in the report's order. An ungraded task has none."""
    return {place: row for task in record["tasks"] if task["status"] == "graded" for place, row in _places(task)}


def in_effect(review: Json) -> dict[Place, Json]:
    """The entry that counts for each place: the last one, unless it was withdrawn; then the one before it."""
    given: dict[Place, list[Json]] = {}
    for override in review["overrides"]:
        entries = given.setdefault(place_of(override), [])
        if not override.get("withdrawn"):
            entries.append(override)
        elif entries:
            entries.pop()
    return {place: entries[-1] for place, entries in given.items() if entries}


def reviewed(record: Json, review: Json) -> Json:
    """The interviewer's record with the entries of a review.json in effect; no argument is changed."""
    known = places(record)
    counted: dict[Place, Json] = {}
    set_aside = []
    for place, override in in_effect(review).items():
        problem = _problem(override, known.get(place), record["submission"]["sha256"])
        if problem:
            set_aside.append(sanitize_line(f"{place}: {problem}"))
        else:
            counted[place] = {name: _clean(override[name]) for name in _SHOWN}
    tasks = [_task(task, counted) for task in record["tasks"]]
    total = _score((task["reviewed_score"] for task in tasks), record["score"]["possible"])
    return record | {
        "tasks": tasks,
        "reviewed_score": total,
        "review": {"in_effect": len(counted), "set_aside": set_aside},
    }


def _places(task: Json) -> Iterator[tuple[Place, Json]]:
    for question in task["questions"]:
        for point in question["points"]:
            yield Place(task=task["task"], question=question["id"], item=point["id"]), point
    for check in task["checks"]:
        yield Place(task=task["task"], item=check["id"]), check


def _problem(override: Json, row: Json | None, sha256: str) -> str:
    """Why human points do not count any more; "" where they do."""
    if override["submission_sha256"] != sha256:
        return "given for another version of the submission"
    if row is None:
        return "the report has no such place"
    if override["possible"] != row["possible"]:
        return f"given when it was worth {override['possible']:g} points; now it is {row['possible']:g}"
    if override["points"] > row["possible"]:
        return f"{override['points']:g} of {row['possible']:g} points"
    return ""


def _clean(value: str | float) -> str | float:
    return sanitize_text(value) if isinstance(value, str) else value


def _task(task: Json, counted: Mapping[Place, Json]) -> Json:
    """A task with human points beside the machine's, up to its sum."""
    questions = [_question(task["task"], question, counted) for question in task["questions"]]
    checks = [check | {"human": counted.get(Place(task=task["task"], item=check["id"]))} for check in task["checks"]]
    criteria = [_criterion(row, questions, checks) for row in task["criteria"]]
    touched = any(row["human"] for row in checks) or any(row["human"] for each in questions for row in each["points"])
    score = _score((row["reviewed_score"] for row in criteria), task["score"]["possible"]) if touched else task["score"]
    return task | {"questions": questions, "checks": checks, "criteria": criteria, "reviewed_score": score}


def _question(task_id: str, question: Json, counted: Mapping[Place, Json]) -> Json:
    points = [
        point | {"human": counted.get(Place(task=task_id, question=question["id"], item=point["id"]))}
        for point in question["points"]
    ]
    touched = any(point["human"] for point in points)
    score = _score(map(_given, points), question["score"]["possible"]) if touched else question["score"]
    return question | {"points": points, "reviewed_score": score}


def _criterion(row: Json, questions: list[Json], checks: list[Json]) -> Json:
    """A line of the rubric: its question's score, or the sum of its checks where a person changed one."""
    question = next((each["reviewed_score"] for each in questions if each["id"] == row["id"]), None)
    mine = [check for check in checks if check["criterion"] == row["id"]]
    if question:
        score = question
    elif not any(check["human"] for check in mine):
        score = score_of(Score(earned=row["earned"], possible=row["possible"]))
    elif all(_given(check)["earned"] == check["possible"] for check in mine) and _offers_all(row, mine):
        score = score_of(Score(earned=row["possible"], possible=row["possible"]))
    else:
        score = _score(map(_given, mine), row["possible"])
    return row | {"reviewed_score": score}


def _offers_all(row: Json, checks: list[Json]) -> bool:
    """True where the checks share out the whole criterion: three of 3.33 are 10 points, as `scoring` has it."""
    return bool(math.fsum(check["possible"] for check in checks) > row["possible"] - 0.005 * len(checks) - 1e-9)


def _given(row: Json) -> Json:
    """What counts: the person's points where there are some."""
    return {"earned": row["human"]["points"] if row["human"] else row["earned"]}


def _score(rows: Iterable[Json], possible: float) -> Json:
    """A sum in hundredths, never above what is possible."""
    earned = round(math.fsum(row["earned"] for row in rows), 2)
    return score_of(Score(earned=min(earned, possible), possible=possible))
