"""Suspicions name a known slip, cost nothing, and stand on figures alone."""

from __future__ import annotations

import numpy as np
import pytest

from grader.errors import TaskBroken
from grader.judge.diagnosis import ALONE, AMONG_SEVERAL, Suspicions
from grader.model import Bug, Text
from tests.judge.conftest import RunSuite
from tests.judge.suites import five

BUGS = tuple(Bug(id=name, text=Text(en=name), question=Text(en=f"why {name}?")) for name in ("twice", "half", "minus"))
RIGHT = np.array([1.0, 2.0])


def suspicions(*, complete: bool = True) -> Suspicions:
    return Suspicions(BUGS, complete=complete)


def test_the_bug_whose_prediction_fits_is_named_with_its_figures() -> None:
    seen = suspicions()
    assert seen.closest(2 * RIGHT, {"twice": 2 * RIGHT, "half": RIGHT / 2}, atol=1e-6, what="weights") == ["twice"]
    (row,) = seen.found()
    assert (row.id, row.confidence, row.question.en) == ("twice", ALONE, "why twice?")
    assert "weights" in row.evidence
    assert "2 values" in row.evidence


def test_two_bugs_that_fit_are_both_named_and_less_sure() -> None:
    seen = suspicions()
    seen.closest(2 * RIGHT, {"twice": 2 * RIGHT, "minus": 2 * RIGHT}, atol=1e-6, what="w")
    assert [(row.id, row.confidence) for row in seen.found()] == [("minus", AMONG_SEVERAL), ("twice", AMONG_SEVERAL)]


@pytest.mark.parametrize(
    "odd",
    [
        np.array([np.nan, 1.0]), np.array([np.inf, 1.0]), np.array([]), np.array(2.0), np.array([[2.0, 4.0]]),
        np.array(["2", "x"]), np.array([object(), object()]), np.array([2 + 1j, 4 + 0j]),
    ],
)  # fmt: skip
def test_an_odd_answer_fits_nothing(odd: np.ndarray) -> None:
    seen = suspicions()
    assert seen.closest(odd, {"twice": 2 * RIGHT}, atol=1e-6, what="w") == []
    assert seen.found() == ()


def test_of_two_suspicions_the_more_confident_stays() -> None:
    seen = suspicions()
    for confidence, line in ((0.5, "weak"), (0.9, "strong"), (0.7, "later")):
        seen.suspect("half", confidence=confidence, evidence=line)
    seen.suspect("twice", confidence=0.6, evidence="other")
    assert [(row.id, row.evidence) for row in seen.found()] == [("half", "strong"), ("twice", "other")]


def test_a_slip_of_the_suite_is_ours() -> None:
    with pytest.raises(TaskBroken, match=r"no table \[tiwce\]"):
        suspicions().suspect("tiwce", confidence=0.5, evidence="")
    with pytest.raises(TaskBroken, match="confidence"):
        suspicions().suspect("twice", confidence=1.5, evidence="")


def test_a_kit_without_a_catalogue_keeps_nothing() -> None:
    seen = Suspicions((), complete=False)
    seen.suspect("twice", confidence=0.5, evidence="")
    assert seen.found() == ()


def test_a_suite_suspects_and_the_judge_tells_it(run_suite: RunSuite) -> None:
    suite = """
@check("five")
def test_five(candidate, diagnosis):
    found = candidate.call("five").tensor()
    diagnosis.closest(found, {"twice": np.array([5, 5])}, atol=0, what="five")
    compare.equal(found, np.array([4, 4]))
"""
    ran = run_suite(suite, {"five": five}, bugs=BUGS)
    assert ran.outcomes() == {"five": "failed"}
    assert [row["id"] for row in ran.done["diagnosis"]] == ["twice"]


def test_an_unknown_bug_leaves_the_task_broken(run_suite: RunSuite) -> None:
    ran = run_suite("@check('a')\ndef test_a(diagnosis): diagnosis.suspect('none', confidence=1.0, evidence='')")
    assert ran.outcomes() == {"a": "task_broken"}
