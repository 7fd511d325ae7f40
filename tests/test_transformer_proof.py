"""The Transformer task is proven in containers: a covering part of `grader tasks validate transformer`.

Trainings cost some seconds each, so this runs the reference, one style, one sample and few mutants. GRADER_PROVE=all
runs everything.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.config import Settings
from grader.patch import apply_patch
from grader.pipeline import Request
from grader.task import load_tasks
from grader.verify import Case, find_cases, prove

ROOT = Path(__file__).parent.parent
TASK = "transformer"
SEED = 2026
"""The same draws on every run: what chance may do is measured by benchmarks.repeat, not met here now and then."""
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


@pytest.mark.docker
@pytest.mark.slow
def test_each_gets_what_it_declares(sandbox_image: str) -> None:
    cases = all_cases()
    if os.environ.get("GRADER_PROVE") != "all":
        cases = [case for case in cases if case.name in CHOSEN[case.kind]]
        assert len(cases) == sum(map(len, CHOSEN.values()))
    request = Request(tasks=load_tasks(ROOT / "tasks", [TASK]), settings=Settings(seed=SEED))
    verdicts = prove(cases, request, jobs=os.cpu_count() or 1, on_verdict=lambda _verdict: None)
    wrong = {f"{verdict.case.kind} {verdict.case.name}": verdict.problems for verdict in verdicts if verdict.problems}
    assert wrong == {}
