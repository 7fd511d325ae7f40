"""A new task from a template that is proven as it stands: change it step by step, and see at each step what breaks.

The template lies in `template/` as files with the suffix `.in`, in which `@NAME@` stands for the task's name.
"""

from __future__ import annotations

import keyword
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from grader.atomic import write_text
from grader.errors import UsageError
from grader.schemas import violation
from grader.text import sanitize_line

_MARK = "@NAME@"


def new_task(name: str, target: Path) -> list[Path]:
    """Writes `tasks/<name>/` and `reference/<name>/` below `target`; gives the two folders.

    Raises UsageError for a name that no task can have, and where one of the folders exists.
    """
    _check_name(name)
    roots = [target / part / name for part in ("tasks", "reference")]
    for root in roots:
        if root.exists():
            raise UsageError(f"{root} exists", hint="choose another name: nothing is overwritten")
    for root, part in zip(roots, ("tasks", "reference"), strict=True):
        _copy(files("grader") / "template" / part, root, name)
    return roots


def _check_name(name: str) -> None:
    table = {
        "id": name,
        "version": "1.0",
        "title": {"en": name},
        "criteria": [{"id": "a", "points": 1, "title": {"en": "a"}}],
    }
    problem = violation(table, "task")
    if problem or keyword.iskeyword(name):
        hint = "lower-case letters, digits and underscores, as a Python module; not 'submission' or 'answers'"
        raise UsageError(f"{sanitize_line(name, 60)!r} cannot be the name of a task", hint=hint)


def _copy(source: Traversable, target: Path, name: str) -> None:
    for item in source.iterdir():
        place = target / item.name.removesuffix(".in").replace("NAME", name)
        if item.is_dir():
            _copy(item, place, name)
        elif item.name.endswith(".in"):
            write_text(place, item.read_text(encoding="utf-8").replace(_MARK, name))
