"""A job for one judge process, and its way there and back as JSON.

The judge is our own process: this border is between trusted sides, so dataclasses are rebuilt from their
own fields without further ado.
"""

from __future__ import annotations

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any, Final

from grader.model import (
    ArtifactFile,
    Bug,
    CheckResult,
    CheckSpec,
    Criterion,
    Diagnosis,
    Entry,
    Json,
    Limits,
    Outcome,
    SandboxFacts,
    Submission,
    Task,
    Text,
    Visibility,
)

SCRATCH_PREFIX = "grader-run-"
"""Name of the folder that a judge is given as TMPDIR, and that is removed after it."""
MAX_PICTURES: Final = 16
"""Of a task, whoever drew them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One task of one submission, with all that the judge needs to run it."""

    task: Task
    submission: Submission
    entry: Entry
    seed: int
    backend: str
    run_id: str
    suites: tuple[str, ...] = ("public", "hidden")
    """Folders of the task whose checks run."""
    image: str = ""
    gpus: tuple[str, ...] = ()
    runtime: str = ""
    slot: int = 0
    cores: tuple[int, ...] = ()
    """Cores of the judge and its sandbox; () for all."""
    pictures: bool = False
    """Draw what the suite kept for a person; only where a report is written."""

    def beside(self, number: int) -> Job:
        """The same for another judge that takes a part of it, the `number`-th; its sandbox is one of its own."""
        return dataclasses.replace(self, run_id=f"{self.run_id}-{number}")

    def to_json(self) -> Json:
        """Plain JSON; file contents as base64."""
        data: Json = dataclasses.asdict(dataclasses.replace(self, submission=_without_files(self.submission)))
        data["files"] = {name: base64.b64encode(raw).decode() for name, raw in self.submission.files.items()}
        return data

    @staticmethod
    def from_json(data: Json) -> Job:
        """The job that `to_json` wrote."""
        files = {name: base64.b64decode(raw) for name, raw in data.pop("files").items()}
        fields = {
            **data,
            "task": _task(data["task"]),
            "submission": Submission(**{**data["submission"], "files": files, "entries": {}, "notes": ()}),
            "entry": Entry(**data["entry"]),
            "suites": tuple(data["suites"]),
            "gpus": tuple(data["gpus"]),
            "cores": tuple(data["cores"]),
        }
        return Job(**fields)


def _without_files(submission: Submission) -> Submission:
    return dataclasses.replace(submission, files={}, entries={})


def _task(data: Json) -> Task:
    criteria = tuple(Criterion(**{**c, "title": Text(**c["title"])}) for c in data["criteria"])
    bugs = tuple(Bug(**_with_texts(row, "text", "question")) for row in data["bugs"])
    fields = {"title": Text(**data["title"]), "criteria": criteria, "limits": Limits(**data["limits"]), "bugs": bugs}
    return Task(**{**data, **fields})


def _with_texts(row: Json, *names: str) -> Json:
    return row | {name: Text(**row[name]) for name in names}


def check_to_json(result: CheckResult) -> Json:
    """One finished check."""
    return dataclasses.asdict(result)


def check_from_json(data: Json) -> CheckResult:
    """The check that `check_to_json` wrote."""
    return CheckResult(**{**data, "spec": spec_from_json(data["spec"]), "outcome": Outcome(data["outcome"])})


def spec_from_json(data: Json) -> CheckSpec:
    """The declaration of a check."""
    changed: dict[str, Any] = {
        "title": Text(**data["title"]),
        "hint": Text(**data["hint"]),
        "visibility": Visibility(data["visibility"]),
        "after": tuple(data["after"]),
    }
    return CheckSpec(**{**data, **changed})


def facts_from_json(data: Json | None) -> SandboxFacts | None:
    """How the sandbox was isolated; None where none came up."""
    return SandboxFacts(**data) if data else None


def diagnosis_from_json(data: Json) -> Diagnosis:
    """A suspicion that `dataclasses.asdict` wrote."""
    return Diagnosis(**_with_texts(data, "bug", "question"))


def artifact_to_json(file: ArtifactFile) -> Json:
    """One file, its content as base64."""
    return dataclasses.asdict(file) | {"content": base64.b64encode(file.content).decode()}


def artifact_from_json(data: Json) -> ArtifactFile:
    """The file that `artifact_to_json` wrote."""
    return ArtifactFile(**data | {"content": base64.b64decode(data["content"])})
