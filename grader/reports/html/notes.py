"""What an interviewer should know of a record at a glance: for the flags of the table and the top of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from grader.model import Json
from grader.reports.html.words import Words

_OUTCOMES: Final = (
    "task_broken",
    "sandbox_down",
    "crashed",
    "memory",
    "output_limit",
    "protocol",
    "timeout",
    "invalid",
)
"""Of checks: those that say more than that points were lost, most telling first."""
_FLAGS: Final = ("injection", "stuffed", "copied_question", "repetition", "other_question", "negated", "llm_disagrees")
"""Of answers: those that speak of how they were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing to know, with how often it occurs."""

    text: str
    count: int = 1
    bad: bool = False


def marks(record: Json, words: Words) -> tuple[Mark, ...]:
    """The flags of a record, most telling first."""
    return tuple(_marks(record, words))


def _marks(record: Json, words: Words) -> Iterator[Mark]:
    if not isolated(record):
        yield Mark(text=words.not_isolated, bad=True)
    outcomes = Counter(check["outcome"] for task in record["tasks"] for check in task["checks"])
    for name in _OUTCOMES:
        if outcomes[name]:
            yield Mark(text=words.outcome(name), count=outcomes[name])
    flags = Counter(flag for task in record["tasks"] for row in task["questions"] for flag in row["flags"])
    for name in _FLAGS:
        if flags[name]:
            yield Mark(text=getattr(words, "flag_" + name), count=flags[name], bad=name == "injection")
    if record.get("review", {}).get("set_aside"):
        yield Mark(text=words.set_aside, count=len(record["review"]["set_aside"]))


def isolated(record: Json) -> bool:
    """False where code of the candidate ran without isolation."""
    ran = any(task["status"] != "missing" and not task["questions"] for task in record["tasks"])
    return bool(record["run"]["isolated"]) or not ran


def to_review(task: Json) -> list[str]:
    """The questions that a person should look at, and has not yet."""
    return [
        question["id"]
        for question in task["questions"]
        if question["needs_review"] and not all(point.get("human") for point in question["points"])
    ]
