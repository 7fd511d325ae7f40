"""The GAN task is proven in containers, as far as a test run can afford it: trainings are what this task costs.

The whole proof is `grader tasks validate gan`. Here run the reference, a style, the samples, and as many mutants as it
takes, beside the samples, for each check that a mutant names to fail at least once, cheap ones first. GRADER_PROVE=all
runs everything.
"""

from __future__ import annotations

import pytest

from grader.patch import apply_patch
from grader.verify import Case, find_cases
from tests.proving import name_of, problems, selected
from tests.tasks.gan_suite import ROOT

TASK = "gan"
STYLES = ("ema_package",)
"""The cheapest, whose moving average moves least in a step; the sample leila_hinge is another correct solution."""
FULL_LENGTH = ("STEPS = 600", "steps: int = 700", "range(500)")
"""Where a mutant's patch leaves these alone it trains as long as its base."""


def all_cases() -> list[Case]:
    """Every case of the task."""
    return find_cases(TASK, ROOT / "reference", ROOT / "candidates")


def is_short(case: Case) -> bool:
    """True for a mutant whose patch cuts the training short."""
    text = case.patch.read_text(encoding="utf-8") if case.patch else ""
    return any(f"-{line}" in text.replace("    ", "") for line in FULL_LENGTH)


def cost(case: Case) -> float:
    """Long trainings count triple."""
    return 1.0 if is_short(case) else 3.0


def test_the_task_has_enough_to_be_proven_with() -> None:
    cases = all_cases()
    kinds = [case.kind for case in cases]
    answered = [case for case in cases if case.kind == "sample" and case.expected.tasks]
    assert kinds.count("style") >= 8
    assert kinds.count("mutant") >= 25
    assert len(answered) >= 3


def test_every_mutant_applies_and_loses_something() -> None:
    for case in all_cases():
        if case.patch is None:
            continue
        expected = case.expected.tasks[TASK]
        assert expected.loses, case.name
        assert expected.fails or expected.percent[1] < 100, case.name
        folder = case.path if case.path.is_dir() else case.path.parent
        paths = case.path.rglob("*.py") if case.path.is_dir() else [case.path]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        assert apply_patch(files, case.patch) != files


def test_every_known_slip_is_named_by_the_suite() -> None:
    import tomllib

    folder = ROOT / "tasks" / TASK
    known = tomllib.loads((folder / "hidden" / "bugs.toml").read_text(encoding="utf-8"))
    suite = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    assert [bug for bug in known if f'"{bug}"' not in suite] == []


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("case", selected(all_cases(), TASK, STYLES, cost), ids=name_of)
def test_each_gets_what_it_declares(case: Case, sandbox_image: str) -> None:
    assert problems(case, TASK) == ()
