"""The gradebook: a row for each submission, for spreadsheets, from records alone.

The columns of every table are the same and come first; those of the tasks follow, by the task's id, so that a table of
fewer tasks has the others' columns in the same places. No cell can become a formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from grader.model import Json
from grader.reports.cells import in_csv, number
from grader.reports.effective import flags, waiting
from grader.reports.look import Look

COLUMNS: Final = (
    "submission", "candidate", "status", "earned", "possible", "percent", "reviewed_earned", "reviewed_percent",
    "needs_review", "flags", "isolated", "backend", "started_at", "sha256", "reason",
)  # fmt: skip
"""`needs_review` counts questions that wait for a person; `flags` those raised on written answers."""
TASK_COLUMNS: Final = ("status", "earned", "possible", "percent", "reviewed_earned")
"""Of each task, as `<task>.<column>`; empty where the submission was not graded for it."""


def summary(records: Sequence[Json]) -> str:
    """The table of those records (interviewer's or candidates' copies), in their order; a header alone for none.

    In front of a file's text `cells.MARK` makes spreadsheets read it as UTF-8.
    """
    tasks, rows = set[str](), []
    for record in records:  # once: each may be read from a disk
        tasks.update(task["task"] for task in record["tasks"])
        rows.append(_row(record))
    return in_csv(rows, (*COLUMNS, *(f"{task}.{name}" for task in sorted(tasks) for name in TASK_COLUMNS)))


def document(record: Json, _look: Look) -> str:
    """The table of one submission, for `grader report --format csv`."""
    return summary([record])


def documents(records: Sequence[Json], _look: Look) -> str:
    """The table of many."""
    return summary(records)


def _row(record: Json) -> dict[str, str]:
    submission, score, run = record["submission"], record["score"], record["run"]
    human = record.get("reviewed_score")
    row = {
        "submission": submission["id"],
        "candidate": submission["candidate"],
        "status": record["status"],
        "earned": number(score["earned"]),
        "possible": number(score["possible"]),
        "percent": number(score["percent"]),
        "reviewed_earned": number(human["earned"]) if human else "",
        "reviewed_percent": number(human["percent"]) if human else "",
        "needs_review": str(waiting(record)),
        "flags": str(len(flags(record))),
        "isolated": "yes" if run["isolated"] else "no",
        "backend": run["backend"],
        "started_at": run["started_at"],
        # The prefix keeps a spreadsheet from reading digits with an "e" among them as a number.
        "sha256": f"sha256:{submission['sha256']}" if submission["sha256"] else "",
        "reason": record["reason"],
    }
    for task in record["tasks"]:
        row |= {f"{task['task']}.{name}": cell for name, cell in _task_cells(task).items()}
    return row


def _task_cells(task: Json) -> dict[str, str]:
    human = task.get("reviewed_score")
    return {
        "status": task["status"],
        "earned": number(task["score"]["earned"]),
        "possible": number(task["score"]["possible"]),
        "percent": number(task["score"]["percent"]),
        "reviewed_earned": number(human["earned"]) if human else "",
    }
