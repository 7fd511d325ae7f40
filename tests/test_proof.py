"""The CNN task is proven in containers: full marks for what is right, the declared losses for what is wrong.

The whole proof is `grader tasks validate cnn_classifier`. Here run the reference, every sample, two styles and as many
mutants as it takes, beside the samples, for each check that a mutant names to fail at least once. GRADER_PROVE=all runs
everything.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.verify import Case, find_cases
from tests.proving import name_of, problems, selected

ROOT = Path(__file__).parent.parent
TASK = "cnn_classifier"
STYLES = ("lenet_tanh_sgd", "numpy_lists")
"""The one with the least margin in accuracy, and the one that answers with arrays and lists."""


def all_cases() -> list[Case]:
    """Every case of the task."""
    return find_cases(TASK, ROOT / "reference", ROOT / "candidates")


def test_the_task_has_enough_to_be_proven_with() -> None:
    kinds = [case.kind for case in all_cases()]
    assert kinds.count("style") >= 6
    assert kinds.count("mutant") >= 20
    assert kinds.count("sample") >= 5


def test_every_mutant_applies_and_loses_something() -> None:
    from grader.patch import apply_patch

    for case in all_cases():
        if case.patch is None:
            continue
        expected = case.expected.tasks[TASK]
        assert expected.loses or expected.fails, case.name
        folder = case.path if case.path.is_dir() else case.path.parent
        paths = case.path.rglob("*.py") if case.path.is_dir() else [case.path]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        assert apply_patch(files, case.patch) != files


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("case", selected(all_cases(), TASK, STYLES), ids=name_of)
def test_each_gets_what_it_declares(case: Case, sandbox_image: str) -> None:
    assert problems(case, TASK) == ()
