"""A task's result as plain JSON and back, for a store: what was graded once need not be graded again.

The file is ours, written and read on the trusted side by the same version; a key says which result it is.
"""

from __future__ import annotations

import dataclasses

from grader.judge.job import (
    artifact_from_json,
    artifact_to_json,
    check_from_json,
    check_to_json,
    diagnosis_from_json,
    facts_from_json,
)
from grader.model import Json, Resources, Task, TaskResult, TaskStatus
from grader.reports.written_json import question_from_json, question_to_json


def result_to_json(result: TaskResult) -> Json:
    """Everything but the task itself, which whoever reads it back has."""
    return {
        "status": str(result.status),
        "checks": [check_to_json(check) for check in result.checks],
        "resources": dataclasses.asdict(result.resources),
        "questions": [question_to_json(question) for question in result.questions],
        "facts": dataclasses.asdict(result.facts) if result.facts else None,
        "reason": result.reason,
        "diagnosis": [dataclasses.asdict(row) for row in result.diagnosis],
        "artifacts": [artifact_to_json(file) for file in result.artifacts],
        "notes": list(result.notes),
    }


def result_from_json(data: Json, task: Task) -> TaskResult:
    """The result of `task` that `result_to_json` wrote."""
    return TaskResult(
        task=task,
        status=TaskStatus(data["status"]),
        checks=tuple(check_from_json(row) for row in data["checks"]),
        resources=Resources(**data["resources"]),
        questions=tuple(question_from_json(row) for row in data["questions"]),
        facts=facts_from_json(data["facts"]),
        reason=data["reason"],
        diagnosis=tuple(diagnosis_from_json(row) for row in data["diagnosis"]),
        artifacts=tuple(artifact_from_json(row) for row in data["artifacts"]),
        notes=tuple(data["notes"]),
    )
