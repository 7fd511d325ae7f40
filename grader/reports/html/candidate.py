"""The page of one submission, from an interviewer's record or from a candidate's copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.model import Json
from grader.reports.effective import total
from grader.reports.groups import Group, grouped
from grader.reports.html.backing import attested, facts
from grader.reports.html.items import is_empty
from grader.reports.html.notes import isolated, to_review
from grader.reports.html.pictures import Figure, figures
from grader.reports.html.render import render
from grader.reports.html.words import Words, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A task with what its section shows."""

    task: Json
    number: int
    """Makes the ids of the page; nothing of a record does."""
    lost: tuple[Group, ...]
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

    @property
    def shown(self) -> bool:
        """True where there is more to say than that it was not handed in."""
        return self.task["status"] != "missing" or bool(self.task.get("notes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A line at the top of the page."""

    text: str
    kind: str = ""


def candidate_page(record: Json, folder: Path, *, lang: str, home: str) -> str:
    """The page; pictures are read below `folder`, `home` is the address of the index or empty."""
    said = words(lang)
    found = figures(record, folder)
    parts = [_part(number, task, found[task["task"]]) for number, task in enumerate(record["tasks"], 1)]
    context = {
        "record": record,
        "parts": parts,
        "home": home,
        "own": record["audience"] == "candidate",
        "alerts": tuple(_alerts(record, said)),
        "used": [task for task in record["tasks"] if task["resources"] and task["resources"]["wall_s"]],
        "attested": attested(record),
        "facts": facts(record, said),
        "name": record["submission"]["candidate"] or record["submission"]["id"],
    }
    return render("candidate.html.jinja", said, context)


def _alerts(record: Json, said: Words) -> Iterator[Alert]:
    if record["reason"]:
        yield Alert(text=said.said(record["reason"]), kind="bad" if record["status"] == "rejected" else "warn")
    if not isolated(record):
        yield Alert(text=said.not_isolated_long, kind="warn")
    review = record.get("review", {"in_effect": 0, "set_aside": []})
    if review["in_effect"]:
        yield Alert(text=said.in_effect.format(review["in_effect"]))
    for line in review["set_aside"]:
        yield Alert(text=f"{said.set_aside}: {line}", kind="warn")
    for note in record["submission"]["notes"]:
        yield Alert(text=f"{said.note}: {said.noted(note)}")


def _part(number: int, task: Json, files: tuple[Figure, ...]) -> Part:
    answers = tuple(question for question in task["questions"] if not is_empty(question))
    lost = [check for check in task["checks"] if check["outcome"] != "passed" or check.get("human")]
    return Part(
        task=task,
        number=number,
        lost=tuple(sorted(grouped(lost), key=_gained)),
        passed=tuple(check for check in task["checks"] if check["outcome"] == "passed" and not check.get("human")),
        answers=answers,
        unanswered=tuple(question["id"] for question in task["questions"] if is_empty(question)),
        answered_percent=_percent(answers),
        review=tuple(to_review(task)),
        notes=tuple(_notes(task)),
        files=files,
        titles={row["id"]: row for row in task["criteria"]},
    )


def _gained(group: Group) -> float:
    """Minus the points that were lost."""
    gained: float = group.score["earned"] - group.score["possible"]
    return gained


def _percent(answers: tuple[Json, ...]) -> float:
    """The share of the points of those questions that were answered."""
    scores = [total(question) for question in answers]
    possible: float = sum(score["possible"] for score in scores)
    return 100 * sum(score["earned"] for score in scores) / possible if possible else 0.0


def _notes(task: Json) -> list[str]:
    """What was noted, without the list of unanswered questions, which is shown from the questions themselves."""
    first, _, rest = task["reason"].partition("; ")
    reason = rest if task["questions"] and first.startswith("unanswered: ") else task["reason"]
    return [text for text in (reason, *task.get("notes", [])) if text]
