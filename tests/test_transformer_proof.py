"""The Transformer task is proven in containers: a covering part of `grader tasks validate transformer`.

Trainings cost some seconds each, so this runs the reference, one style, one sample and few mutants. GRADER_PROVE=all
runs everything.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.patch import apply_patch
from grader.verify import Case, find_cases
from tests.proving import name_of, problems

ROOT = Path(__file__).parent.parent
TASK = "transformer"
CHOSEN = {
    "reference": ("reference",),
    "style": ("rezero",),  # the one that a new model's "must move" probes would fail
    "mutant": ("missing_scale", "mask_inverted", "library_mha", "view_in_split", "layers_in_a_list"),
    "sample": ("jin_off_by_one",),
}


def all_cases() -> list[Case]:
    """Every case of the task."""
    return find_cases(TASK, ROOT / "reference", ROOT / "candidates")


def test_the_task_has_enough_to_be_proven_with() -> None:
    kinds = [case.kind for case in all_cases()]
    assert kinds.count("style") >= 8
    assert kinds.count("mutant") >= 35
    assert kinds.count("sample") >= 3


def test_every_mutant_applies_and_loses_something() -> None:
    for case in all_cases():
        if case.patch is None:
            continue
        expected = case.expected.tasks[TASK]
        assert expected.loses, case.name
        assert expected.fails, case.name
        files = {"transformer.py": case.path.read_bytes()}
        assert apply_patch(files, case.patch) != files


def chosen() -> list[Case]:
    """What this run proves."""
    cases = all_cases()
    if os.environ.get("GRADER_PROVE") == "all":
        return cases
    return [case for case in cases if case.name in CHOSEN[case.kind]]


def test_every_chosen_case_exists() -> None:
    assert os.environ.get("GRADER_PROVE") == "all" or len(chosen()) == sum(map(len, CHOSEN.values()))


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("case", chosen(), ids=name_of)
def test_each_gets_what_it_declares(case: Case, sandbox_image: str) -> None:
    assert problems(case, TASK) == ()
