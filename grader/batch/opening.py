"""From a found submission to what is to be done for it: its bytes, its tasks, the key of each result, its run."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

from grader.batch.discovery import Found
from grader.batch.keys import Ground, report_key
from grader.batch.unit import Unit
from grader.errors import GraderError, SubmissionRejected
from grader.model import Report, Run, Submission, Task, TaskResult, TaskStatus
from grader.pipeline import Request, new_run, within
from grader.scoring import rejected_report
from grader.selection import code_tasks
from grader.store import Kept
from grader.submission import load_submission

MISSING: Final = "missing"
"""Instead of a key, for a task without a file: nothing runs, nothing is stored."""


@dataclass(slots=True)
class Opened:
    """A submission in memory, with the results that are there so far."""

    found: Found
    submission: Submission
    run: Run
    tasks: list[Task]
    keys: dict[str, str]
    """By task; "" where the result must be asked for again."""
    parts: dict[str, Kept] = field(default_factory=dict)
    errors: list[GraderError] = field(default_factory=list)

    @property
    def key(self) -> str:
        """What its report depends on."""
        return report_key(self.submission, self.keys.items())

    @property
    def is_lasting(self) -> bool:
        """True where the report is final: no task is missing by our fault."""
        return not self.errors and all(self.keys.values())

    def task(self, name: str) -> Task:
        """The task of that id."""
        return next(task for task in self.tasks if task.id == name)


class Opener:
    """Opens the submissions of one batch."""

    def __init__(self, tasks: Mapping[str, Task], ground: Ground) -> None:
        self._tasks, self._ground = tasks, ground
        self._template = replace(new_run(ground.settings), seed=ground.seed)

    def tasks_of(self, found: Found) -> list[Task]:
        """The tasks that a submission is graded for, with the limits that the settings override."""
        settings = self._ground.settings
        tasks = (self._tasks[name] for name in found.tasks or self._tasks)
        return [within(task, settings) if task.kind == "code" else task for task in tasks]

    def open(self, found: Found) -> Opened:
        """Reads it. Raises SubmissionRejected, and UsageError where it is gone."""
        tasks = self.tasks_of(found)
        read = load_submission(found.path, code_tasks({task.id: task for task in tasks}))
        candidate = read.candidate if read.candidate != read.id else found.id
        submission = replace(read, id=found.id, candidate=candidate)
        keys = {task.id: self._key(task, submission) for task in tasks}
        run = self._run(found.id, report_key(submission, keys.items()))
        return Opened(found, submission, run, tasks, keys)

    def rejected(self, found: Found, error: SubmissionRejected) -> tuple[Report, str]:
        """The report of a submission that intake refuses, and its key."""
        tasks = self.tasks_of(found)
        nobody = Submission(id=found.id, candidate=found.id, files={}, entries={}, sha256="", notes=(str(error),))
        key = report_key(nobody, [(task.id, task.sha256) for task in tasks])
        return rejected_report(found.id, str(error), tasks, self._run(found.id, key)), key

    def unit(self, opened: Opened, name: str, number: int = 1) -> Unit:
        """A job for one of its tasks. The task is as loaded: the pipeline applies the settings itself."""
        return Unit(
            task=self._tasks[name],
            submission=opened.submission,
            request=Request(tasks={name: self._tasks[name]}, settings=self._ground.settings, pictures=True),
            run=replace(opened.run, id=uuid.uuid4().hex, started_at=now()),
            key=opened.keys[name],
            number=number,
        )

    def _key(self, task: Task, submission: Submission) -> str:
        if task.kind == "code" and task.id not in submission.entries:
            return MISSING
        return self._ground.key(task, submission)

    def _run(self, name: str, key: str) -> Run:
        """A run whose id follows from what is graded, so that a report that is made again is the same."""
        label = uuid.uuid5(uuid.NAMESPACE_OID, f"{self._ground.seed} {name} {key}")
        return replace(self._template, id=label.hex, started_at=now())


def missing(task: Task) -> Kept:
    """The result of a task that a submission does not answer."""
    result = TaskResult(task=task, status=TaskStatus.MISSING, reason=f"no file answers {task.id}")
    return Kept(result=result, started_at="", seconds=0.0)


def sources(found: Sequence[Found]) -> dict[str, str]:
    """The name in the folder of each id."""
    return {one.id: one.path.name for one in found}


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
