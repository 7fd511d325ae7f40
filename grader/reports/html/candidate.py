"""The page of one submission, from an interviewer's record or from a candidate's copy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from grader.model import Json
from grader.reports.html.filters import counted
from grader.reports.html.items import is_empty
from grader.reports.html.notes import isolated, to_review
from grader.reports.html.pictures import Figure, figures
from grader.reports.html.render import render
from grader.reports.html.words import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A task with what its section shows."""

    task: Json
    lost: tuple[Json, ...]
    """Checks that did not pass or that a person judged, most points lost first."""
    passed: tuple[Json, ...]
    answers: tuple[Json, ...]
    """Questions with an answer."""
    unanswered: tuple[str, ...]
    answered_percent: float
    review: tuple[str, ...]
    notes: tuple[str, ...]
    files: tuple[Figure, ...]
    titles: Json
    """Of criteria, by id."""


def candidate_page(record: Json, folder: Path, *, lang: str, home: str) -> str:
    """The page; pictures are read below `folder`, `home` is the address of the index or empty."""
    said = words(lang)
    found = figures(record, folder)
    parts = [_part(task, found[task["task"]]) for task in record["tasks"]]
    context = {
        "record": record,
        "parts": parts,
        "home": home,
        "own": record["audience"] == "candidate",
        "isolated": isolated(record),
        "name": record["submission"]["candidate"] or record["submission"]["id"],
    }
    return render("candidate.html.jinja", said, context)


def _part(task: Json, files: tuple[Figure, ...]) -> Part:
    answers = tuple(question for question in task["questions"] if not is_empty(question))
    lost = [check for check in task["checks"] if check["outcome"] != "passed" or check.get("human")]
    return Part(
        task=task,
        lost=tuple(sorted(lost, key=lambda check: check["earned"] - check["possible"])),
        passed=tuple(check for check in task["checks"] if check["outcome"] == "passed" and not check.get("human")),
        answers=answers,
        unanswered=tuple(question["id"] for question in task["questions"] if is_empty(question)),
        answered_percent=_percent(answers),
        review=tuple(to_review(task)),
        notes=tuple(_notes(task)),
        files=files,
        titles={row["id"]: row for row in task["criteria"]},
    )


def _percent(answers: tuple[Json, ...]) -> float:
    """The share of the points of those questions that were answered."""
    scores = [counted(question) for question in answers]
    possible: float = sum(score["possible"] for score in scores)
    return 100 * sum(score["earned"] for score in scores) / possible if possible else 0.0


def _notes(task: Json) -> list[str]:
    """What was noted, without the list of unanswered questions, which is shown from the questions themselves."""
    first, _, rest = task["reason"].partition("; ")
    reason = rest if task["questions"] and first.startswith("unanswered: ") else task["reason"]
    return [text for text in (reason, *task.get("notes", [])) if text]
