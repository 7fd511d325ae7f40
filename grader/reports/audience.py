"""The candidate's copy of a record: what was wrong and what to look at, nothing that gives the hidden tests away.

Built from an empty record by naming what stays, so that a field added later is left out until somebody decides.
A candidate's own code saw the hidden inputs and may have carried them into anything it influences: text that it
printed or raised, the name of an exception class, CPU time, memory. None of these stays for a hidden check.
"""

from __future__ import annotations

import builtins
import re
from collections import Counter

from grader.model import Json

_LOCATION = re.compile(r"[\w./ +-]{1,240}(\[cell \d{1,4}\])?:\d{1,6}")


def for_candidate(record: Json) -> Json:
    """A record for the candidate, of the same schema; what is removed is null, empty or a neutral name."""
    return {
        "schema_version": record["schema_version"],
        "audience": "candidate",
        "grader": record["grader"],
        "submission": record["submission"],
        "status": record["status"],
        # Why a task of ours broke is ours to know; why intake refused is the candidate's.
        "reason": record["reason"] if record["status"] == "rejected" else "",
        "score": record["score"],
        "run": _run(record["run"]),
        "tasks": [_task(task) for task in record["tasks"]],
    } | _review(record)


def _review(record: Json) -> Json:
    """Where a person reviewed: the score that came of it and how much they decided, not what was set aside."""
    if "review" not in record:
        return {}
    return {
        "reviewed_score": record["reviewed_score"],
        "review": {"in_effect": record["review"]["in_effect"], "set_aside": []},
    }


def _human(row: Json) -> Json:
    """A person's points at a place; who gave them, when and why is between interviewers."""
    if "human" not in row:
        return {}
    human = row["human"]
    return {"human": human and {"points": human["points"], "reason": "", "reviewer": "", "at": ""}}


def _run(run: Json) -> Json:
    """The run without the seed (it makes the hidden inputs) and without our machine."""
    kept = {name: run[name] for name in ("id", "backend", "isolated", "image", "started_at", "versions")}
    return kept | {"attestation": {}, "gpu": None, "seed": None, "duration_s": None, "host": {}}


def _task(task: Json) -> Json:
    kept = ("task", "version", "title", "title_zh", "status", "score", "limits", "criteria")
    return (
        {name: task[name] for name in kept}
        | {
            "sha256": "",
            "reason": task["reason"] if task["status"] == "missing" else "",
            "resources": None,
            "checks": _checks(task),
            "questions": [_question(question) for question in task["questions"]],
            "diagnosis": [_slip(row, number) for number, row in enumerate(task["diagnosis"], 1)],
            "artifacts": [],
            "notes": task.get("notes", []),  # said before any input of a check existed
        }
        | ({"reviewed_score": task["reviewed_score"]} if "reviewed_score" in task else {})
    )


def _slip(row: Json, number: int) -> Json:
    """A likely slip in the words that are meant for candidates; its id is a name of the hidden suite's."""
    return row | {"id": f"slip-{number}", "evidence": "", "question": "", "question_zh": ""}


def _checks(task: Json) -> list[Json]:
    """The checks in their order; hidden ones under their criterion's name and a running number."""
    criteria = {row["id"]: row for row in task["criteria"]}
    numbers: Counter[str] = Counter()
    checks = []
    for check in task["checks"]:
        hidden = check["visibility"] != "public"
        numbers[check["criterion"]] += hidden
        number = numbers[check["criterion"]]
        checks.append(_hidden_check(check, criteria, number) if hidden else _public_check(check))
    return checks


def _public_check(check: Json) -> Json:
    """A check whose source the candidate has: only the times go, which depend on our machine."""
    return check | {"duration_s": None, "cpu_s": None} | _human(check)


def _hidden_check(check: Json, criteria: dict[str, Json], number: int) -> Json:
    kept = ("criterion", "visibility", "outcome", "earned", "possible", "hint", "hint_zh")
    criterion = criteria.get(check["criterion"], {"title": "", "title_zh": ""})
    return (
        {name: check[name] for name in kept}
        | {
            "id": f"{check['criterion']}-{number}",
            "title": criterion["title"],
            "title_zh": criterion["title_zh"],
            "message": "",
            "location": check["location"] if _LOCATION.fullmatch(check["location"]) else "",
            "exception": check["exception"] if _is_builtin_exception(check["exception"]) else "",
            "output": "",
            "duration_s": None,
            "cpu_s": None,
        }
        | _human(check)
    )


def _question(question: Json) -> Json:
    """A written answer's points without evidence and rationale: they show what the rubric looks for."""
    points = [
        point | {"verdict": "", "confidence": 0.0, "evidence": [], "rationale": "", "llm": None} | _human(point)
        for point in question["points"]
    ]
    return question | {"points": points, "flags": [], "needs_review": False, "llm": None}


def _is_builtin_exception(name: str) -> bool:
    """True for Python's own exception classes: a candidate can put data into the name of any other."""
    kind = getattr(builtins, name, None) if name.isidentifier() else None
    return isinstance(kind, type) and issubclass(kind, BaseException)
