"""What counts at a place of a record: a person's points where there are some, else the machine's.

Formats for other systems have one score for each row, not two: they take it from here.
"""

from __future__ import annotations

from collections.abc import Iterator

from grader.model import Json

OURS = ("task_broken", "sandbox_down")
"""Outcomes that are our fault; the candidate pays nothing for them."""
UNANSWERED = "unanswered"
"""The flag of a question without an answer."""


def total(row: Json) -> Json:
    """The score that counts of a report, task or question; a criterion is its own score where nobody reviewed."""
    score: Json = row.get("reviewed_score") or row.get("score") or row
    return score


def earned(row: Json) -> float:
    """The points of a check or a point of a question that count."""
    points: float = row["human"]["points"] if row.get("human") else row["earned"]
    return points


def outcome(check: Json) -> str:
    """How a check counts: as it ended, or `passed` or `failed` by a person's points."""
    if not check.get("human"):
        return str(check["outcome"])
    return "passed" if earned(check) >= check["possible"] else "failed"


def questions(record: Json) -> Iterator[Json]:
    """All questions of a record."""
    return (question for task in record["tasks"] for question in task["questions"])


def flags(record: Json) -> list[str]:
    """The flags on written answers, without those for what nobody answered."""
    return [flag for question in questions(record) for flag in question["flags"] if flag != UNANSWERED]


def waiting(record: Json) -> int:
    """How many questions need a person and have not had one at each of their points."""
    return sum(
        question["needs_review"] and any(not point.get("human") for point in question["points"])
        for question in questions(record)
    )
