"""A sample's declaration is held against its report: ranges, flags of written answers, names that do not exist."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import TaskBroken
from grader.expectation import Expectation, TaskExpectation, answered_score, differences, read_expected
from grader.model import Report, Score, ScoredQuestion
from tests.samples import check, report

DECLARED = """
status = "graded"

[tasks.toy]
percent = [10, 20]
answered = [60, 80]

[tasks.toy.flags]
q03 = ["injection"]
"""


def _written(*questions: ScoredQuestion) -> Report:
    """A report whose task has these questions besides its check."""
    graded = report(check("a"))
    return replace(graded, tasks=(replace(graded.tasks[0], questions=questions),))


def _question(name: str, earned: float, *flags: str) -> ScoredQuestion:
    return ScoredQuestion(id=name, language="en", score=Score(earned=earned, possible=10.0), flags=flags)


def _differences(wanted: TaskExpectation, graded: Report) -> list[str]:
    return differences(Expectation(tasks={"toy": wanted}), graded)


def test_the_range_over_answered_questions_and_the_flags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(DECLARED, encoding="utf-8")
    task = read_expected(path).tasks["toy"]
    assert task.percent == (10.0, 20.0)
    assert task.answered == (60.0, 80.0)
    assert task.flags == {"q03": ("injection",)}


@pytest.mark.parametrize("line", ['flags.q03 = "injection"', "answered = [60]", 'flag = ["injection"]'])
def test_a_declaration_that_does_not_fit_the_schema_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(f'status = "graded"\n[tasks.toy]\n{line}\n', encoding="utf-8")
    with pytest.raises(TaskBroken):
        read_expected(path)


def test_a_declared_flag_must_be_in_the_report() -> None:
    graded = _written(_question("q01", 1, "injection", "middle_band"), _question("q03", 4, "middle_band"))
    assert _differences(TaskExpectation(flags={"q01": ("injection",)}), graded) == []
    wanted = TaskExpectation(flags={"q03": ("injection",)})
    assert _differences(wanted, graded) == ["q03 should be flagged injection, has middle_band"]


def test_flags_of_a_question_that_does_not_exist_are_a_mistake_in_the_declaration() -> None:
    wanted = TaskExpectation(flags={"q99": ("stuffed",)})
    assert _differences(wanted, _written(_question("q01", 1))) == ["there is no question q99"]


def test_unanswered_questions_do_not_count_for_the_range_over_answered_ones() -> None:
    graded = _written(_question("q01", 8), _question("q02", 6), _question("q03", 0, "unanswered"))
    assert answered_score(graded.tasks[0]).percent == 70
    assert _differences(TaskExpectation(answered=(65, 75)), graded) == []
    wrong = _differences(TaskExpectation(answered=(80, 100)), graded)
    assert wrong == ["70 % of the answered questions is outside 80..100 %"]
