"""Checks as their tests declare them, held against the task's rubric before anything runs."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from grader.errors import TaskBroken
from grader.model import CheckSpec, Task, Text, Visibility

MARK = "check"
KEYWORDS = {"criterion", "points", "title", "title_zh", "hint", "hint_zh", "after"}


def spec_of(item: pytest.Item, task: Task) -> CheckSpec:
    """The declaration of one collected test. Raises TaskBroken."""
    marks = list(item.iter_markers(MARK))
    if len(marks) != 1 or len(marks[0].args) != 1 or not isinstance(marks[0].args[0], str):
        raise TaskBroken(f"{item.nodeid} needs exactly one mark `check(id, criterion=, points=, ...)`")
    words: dict[str, Any] = dict(marks[0].kwargs)
    unknown = set(words) - KEYWORDS
    missing = {"criterion", "points", "title", "hint"} - set(words)
    if unknown or missing:
        raise TaskBroken(f"{item.nodeid}: check has unknown {sorted(unknown)} or missing {sorted(missing)} keywords")
    hidden = Path(task.root, "hidden") in item.path.parents
    return CheckSpec(
        id=marks[0].args[0],
        criterion=words["criterion"],
        points=float(words["points"]),
        title=Text(en=words["title"], zh=words.get("title_zh", "")),
        hint=Text(en=words["hint"], zh=words.get("hint_zh", "")),
        visibility=Visibility.HIDDEN if hidden else Visibility.PUBLIC,
        after=tuple(words.get("after", ())),
    )


def validate(specs: list[CheckSpec], task: Task, *, complete: bool) -> None:
    """Ids unique, criteria known, dependencies earlier, and (for the complete suite) points that add up.

    Raises TaskBroken: a suite that says something else than its rubric must not grade anybody.
    """
    seen: set[str] = set()
    totals: dict[str, float] = defaultdict(float)
    known = {criterion.id for criterion in task.criteria}
    for spec in specs:
        if spec.id in seen:
            raise TaskBroken(f"task {task.id}: two checks have the id {spec.id}")
        if spec.criterion not in known:
            raise TaskBroken(f"task {task.id}: check {spec.id} names the unknown criterion {spec.criterion}")
        if not set(spec.after) <= seen:
            raise TaskBroken(f"task {task.id}: check {spec.id} comes before what it depends on: {spec.after}")
        seen.add(spec.id)
        totals[spec.criterion] += spec.points
    if not specs:
        raise TaskBroken(f"task {task.id} has no checks", hint="tests need the mark `check`")
    for criterion in task.criteria if complete else ():
        if not math.isclose(totals[criterion.id], criterion.points, abs_tol=1e-6):
            raise TaskBroken(
                f"task {task.id}: the checks of criterion {criterion.id} add up to {totals[criterion.id]:g} points, "
                f"task.toml says {criterion.points:g}"
            )
