"""The same code gets the same score as a module and as a notebook, in containers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.config import Settings
from grader.model import Report
from grader.pipeline import Request, grade
from grader.task import find_tasks
from tests import warm
from tests.notebooks import cell, notebook, split

ROOT = Path(__file__).resolve().parent.parent
TASK = "cnn_classifier"
EXTRAS = (
    cell("# An answer", "markdown"),
    "%matplotlib inline\n!pip install torch\nimport matplotlib.pyplot as plt",
    "plt.plot([3, 2, 1]); plt.show()",
)


def _graded(path: Path) -> Report:
    tasks = {name: task for name, task in find_tasks(ROOT / "tasks").items() if name == TASK}
    return grade(path, Request(tasks=tasks, settings=Settings(backend="docker", seed=5), start=warm.start())).report


@pytest.mark.docker
@pytest.mark.slow
def test_a_module_and_its_notebook_get_the_same_points_and_outcomes(
    sandbox_image: str, make_folder: Callable[..., Path]
) -> None:
    source = (ROOT / "candidates" / "chen_no_eval" / f"{TASK}.py").read_text(encoding="utf-8")
    module = _graded(make_folder("module", {f"{TASK}.py": source}))
    book = _graded(make_folder("book", {f"{TASK}.ipynb": notebook(*EXTRAS, *split(source)).decode()}))
    first, second = module.tasks[0], book.tasks[0]
    assert [(c.id, c.outcome, c.score) for c in first.checks] == [(c.id, c.outcome, c.score) for c in second.checks]
    assert module.score == book.score
    assert second.notes == ("code cell 1: not run: !pip install torch",)
    assert [row.name for row in second.artifacts] == ["notebook"]
