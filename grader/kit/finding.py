"""Where a candidate's kit is. Only `check`, `tasks list` and `tasks show` look for one, from the current folder upward.

A kit brings tests, which run as the user. So one that belongs to somebody else is not taken by itself: a file that
another user put into a shared folder above must not decide what runs. `grade` never looks: its tasks come from
settings alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.model import Task
from grader.schemas import violation
from grader.task import KIT_FILE, KIT_TASKS
from grader.text import sanitize_line

WORK = "submission"
"""The folder of a kit that the candidate works in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """A kit on disk."""

    root: Path
    digests: Mapping[str, str]
    """SHA-256 of each task as it was handed out."""

    @property
    def tasks_dir(self) -> Path:
        """The kit's tasks."""
        return self.root / KIT_TASKS

    @property
    def work(self) -> Path:
        """The folder that the candidate works in."""
        return self.root / WORK

    def changed(self, tasks: Mapping[str, Task]) -> list[str]:
        """The tasks whose files are not those that were handed out."""
        return [name for name, task in tasks.items() if name in self.digests and task.sha256 != self.digests[name]]


def find_kit(start: Path) -> Kit | None:
    """The kit that the folder `start` lies in, or None. Raises UsageError for one that is broken or not the user's."""
    folder = start.resolve()
    root = next((path for path in (folder, *folder.parents) if (path / KIT_FILE).is_file()), None)
    if root is None:
        return None
    if _owner(root / KIT_FILE) not in (os.geteuid(), 0):
        hint = f"if you trust it, name it: --tasks-dir {root}"
        raise UsageError(f"the kit in {root} belongs to another user; its tests would run as you", hint=hint)
    return _read(root)


def _owner(path: Path) -> int:
    return path.stat().st_uid


def _read(root: Path) -> Kit:
    path = root / KIT_FILE
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot read {path}: {sanitize_line(str(error))}", hint="unpack the kit again") from error
    if problem := violation(table, "kit"):
        raise UsageError(f"{path}: {problem}", hint="unpack the kit again")
    return Kit(root=root, digests={name: row["sha256"] for name, row in table["tasks"].items()})
