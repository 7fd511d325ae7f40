"""A suite that says something else than its rubric grades nobody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.errors import TaskBroken
from grader.judge.specs import validate
from grader.model import CheckSpec
from tests.samples import TASK, check


def spec(name: str, criterion: str = "contract", points: float = 40.0, after: tuple[str, ...] = ()) -> CheckSpec:
    return replace(check(name, criterion, points).spec, after=after)


WHOLE = [spec("shape"), spec("accuracy", "learning", 60.0, after=("shape",))]


def test_points_that_add_up_are_accepted() -> None:
    validate(WHOLE, TASK, complete=True)
    thirds = [spec(f"c{i}", points=40 / 3) for i in range(3)]
    validate([*thirds, spec("accuracy", "learning", 60.0)], TASK, complete=True)


def test_a_part_of_the_suite_need_not_add_up() -> None:
    validate([WHOLE[0]], TASK, complete=False)


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        ([], "no checks"),
        ([spec("shape")], "learning add up to 0"),
        ([spec("shape", points=39.0), WHOLE[1]], "add up to 39"),
        ([*WHOLE, spec("more", points=0.5)], "add up to 40.5"),
        ([spec("shape"), spec("shape", "learning", 60.0)], "two checks"),
        ([*WHOLE, spec("style", "style", 5.0)], "unknown criterion style"),
        ([spec("shape", after=("accuracy",)), spec("accuracy", "learning", 60.0)], "before what it depends on"),
        ([spec("shape", after=("nothing",)), spec("accuracy", "learning", 60.0)], "before what it depends on"),
        ([spec("shape", after=("shape",)), spec("accuracy", "learning", 60.0)], "before what it depends on"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_contradiction_is_task_broken(specs: list[CheckSpec], said: str) -> None:
    with pytest.raises(TaskBroken, match=said):
        validate(specs, TASK, complete=True)
