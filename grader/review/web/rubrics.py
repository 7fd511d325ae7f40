"""What an interviewer knows beside the report: the question's text, and the sentence that alone earns a point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import GraderError
from grader.model import Json, Text
from grader.task import load_task
from grader.written.rubric import Rubric, load_rubrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The rubrics of one written task, and which version of it they are."""

    sha256: str
    questions: Mapping[str, Rubric]


@dataclass(slots=True)
class Rubrics:
    """The rubrics of a folder of tasks, read when first asked for; a task that is not there has none."""

    tasks_dir: Path
    _read: dict[str, Key | None] = field(default_factory=dict)

    def of(self, task: Json) -> Key | None:
        """The rubrics of a report's task."""
        name = task["task"]
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> Key | None:
        folder = self.tasks_dir / name
        if Path(name).name != name or not (folder / "task.toml").is_file():
            return None
        try:
            task = load_task(folder)
            return Key(sha256=task.sha256, questions=load_rubrics(folder)) if task.kind == "written" else None
        except GraderError:
            return None  # the report can be reviewed without; `tasks validate` says what is wrong


NO_TEXT = Text(en="")
