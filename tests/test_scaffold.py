"""A new task works before anybody has changed a line of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.config import Settings
from grader.errors import ExitCode, UsageError
from grader.kit.writing import write_kit
from grader.scaffold import new_task
from grader.task import find_tasks
from grader.validation import Validation


@pytest.mark.slow
def test_a_new_task_is_proven_straight_away(tmp_path: Path) -> None:
    new_task("scaler", tmp_path)
    lines: list[str] = []
    settings = Settings(tasks_dir=tmp_path / "tasks", backend="process")
    assert Validation(settings, None, None, 1, "").run(["scaler"], lines.append) == ExitCode.GRADED, lines
    assert [line.split()[:3] for line in lines if line.startswith("ok")] == [
        ["ok", "reference", "reference"],
        ["ok", "mutant", "statistics_of_the_batch"],
    ]


def test_a_kit_can_be_made_of_it(tmp_path: Path) -> None:
    new_task("scaler", tmp_path)
    kit = write_kit(find_tasks(tmp_path / "tasks"), tmp_path / "kit")
    files = {path.name for path in kit.root.rglob("*") if path.is_file()}
    assert {"PROMPT.md", "PROMPT.zh.md", "scaler.py", "test_public.py"} <= files
    assert not files & {"test_hidden.py", "bugs.toml", "mutant.patch"}


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "reference" / "scaler").mkdir(parents=True)
    with pytest.raises(UsageError, match="exists"):
        new_task("scaler", tmp_path)
    assert not (tmp_path / "tasks").exists()


@pytest.mark.parametrize("name", ["Scaler", "../up", "class", "answers", "submission", "", "a b", "9lives"])
def test_a_name_that_no_task_can_have_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be the name of a task"):
        new_task(name, tmp_path)
    assert not any(tmp_path.iterdir())
