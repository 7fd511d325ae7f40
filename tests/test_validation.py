"""`tasks validate` proves what is as declared, and says in one line for each case what is not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.config import Settings
from grader.errors import ExitCode, UsageError
from grader.validation import Validation
from tests.faulty import GOOD

TASKS = Path(__file__).parent / "data" / "tasks"
MUTANT = 'title = "minus"\nloses = ["adds"]\nkeeps = ["module"]\nfails = ["adds_again"]\ndiagnosis = ["{bug}"]\n'
PATCH = """--- a/adder.py
+++ b/adder.py
@@ -{line},1 +{line},1 @@
-    return a + b
+    return a - b
"""


@pytest.fixture
def validation(make_folder: Callable[..., Path], tmp_path: Path) -> Callable[..., Validation]:
    """A validation of the adder with one mutant, whose report must name `bug`."""

    def make(bug: str = "subtracts", only: str = "") -> Validation:
        line = GOOD.splitlines().index("    return a + b") + 1
        files = {
            "adder/adder.py": GOOD,
            "adder/mutants/minus/mutant.toml": MUTANT.format(bug=bug),
            "adder/mutants/minus/mutant.patch": PATCH.format(line=line),
        }
        references = make_folder("reference", files)
        settings = Settings(tasks_dir=TASKS, backend="process")
        return Validation(settings, references, make_folder("candidates", {}), 1, only)

    return make


def test_a_task_whose_cases_are_as_declared_is_proven(validation: Callable[..., Validation]) -> None:
    lines: list[str] = []
    whole = validation()
    assert whole.run(["adder"], lines.append) == ExitCode.GRADED
    assert lines[-1].startswith("adder is proven")
    reference, mutant = json.loads(json.dumps(whole.records))
    assert (reference["kind"], reference["percent"], reference["not_passed"]) == ("reference", 100.0, {})
    assert (mutant["name"], mutant["diagnosis"]) == ("minus", {"subtracts": 0.95})
    assert mutant["criteria"]["module"] == [2.0, 2.0]


def test_a_slip_that_is_not_named_leaves_the_task_unproven(validation: Callable[..., Validation]) -> None:
    lines: list[str] = []
    assert validation(bug="multiplies", only="minus").run(["adder"], lines.append) == ExitCode.TASK_BROKEN
    assert any("the diagnosis should name multiplies" in line for line in lines)
    assert "NOT proven" in lines[-1]


def test_a_word_that_matches_no_case_is_said(validation: Callable[..., Validation]) -> None:
    with pytest.raises(UsageError, match="no case that matches"):
        validation(only="nothing").run(["adder"], lambda _line: None)
