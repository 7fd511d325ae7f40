"""A candidate's copy helps and tells nothing about hidden tests, not even through the candidate's own code."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from grader.errors import UsageError
from grader.model import Outcome, Report, Text, Visibility
from grader.reports.as_json import from_json, to_json
from grader.reports.audience import for_candidate
from grader.schemas import violation
from tests.samples import ANSWER, check, full_report, report

CANARY = "canary-8c1f"


def _with_canaries() -> Report:
    """A report whose every hidden or candidate-driven field holds the canary."""
    hidden = check("hidden_" + CANARY, "learning", 30.0, Outcome.RAISED, message=CANARY)
    hidden = replace(
        hidden,
        output=CANARY,
        location=f"{CANARY}\n:3",
        exception=CANARY.replace("-", "_"),
        duration_s=77.125,
        cpu_s=77.25,
    )
    hidden = replace(
        hidden, spec=replace(hidden.spec, title=Text(en=CANARY, zh=CANARY), hint=Text(en="look", zh="看看的提示"))
    )
    graded = report(check("shape", visibility=Visibility.PUBLIC, outcome=Outcome.FAILED, message="shape (2,)"), hidden)
    run = replace(
        graded.run, attestation={"x": CANARY}, host={"name": CANARY}, gpu={"uuid": CANARY}, duration_s=77.5, seed=778899
    )
    return replace(graded, run=run)


def test_nothing_hidden_survives() -> None:
    text = json.dumps(for_candidate(to_json(_with_canaries())))
    for secret in (CANARY, CANARY.replace("-", "_"), "77.", "778899"):
        assert secret not in text


def test_outcome_points_criterion_and_hint_of_a_hidden_check_stay() -> None:
    public, hidden = for_candidate(to_json(_with_canaries()))["tasks"][0]["checks"]
    assert (hidden["id"], hidden["title"], hidden["outcome"]) == ("learning-1", "Learning", "raised")
    assert (hidden["earned"], hidden["possible"]) == (0.0, 30.0)
    assert hidden["hint_zh"].endswith("的提示")
    assert (public["id"], public["message"]) == ("shape", "shape (2,)")


def test_hidden_checks_are_numbered_within_their_criterion() -> None:
    checks = [check(name, points=10.0) for name in "abc"] + [check("d", "learning", 10.0)]
    record = for_candidate(to_json(report(*checks)))
    assert [row["id"] for row in record["tasks"][0]["checks"]] == [
        "contract-1",
        "contract-2",
        "contract-3",
        "learning-1",
    ]


def test_the_line_and_the_builtin_class_of_an_exception_stay() -> None:
    raised = replace(check("h", outcome=Outcome.RAISED), location="src/模型.py:31", exception="ValueError")
    row = for_candidate(to_json(report(raised)))["tasks"][0]["checks"][0]
    assert (row["location"], row["exception"]) == ("src/模型.py:31", "ValueError")


@pytest.mark.parametrize("name", ["Leak_0_1_2", "print", "__doc__", "int", "builtins.ValueError", ""])
def test_no_other_class_name_stays(name: str) -> None:
    raised = replace(check("h", outcome=Outcome.RAISED), exception=name)
    assert for_candidate(to_json(report(raised)))["tasks"][0]["checks"][0]["exception"] == ""


def test_rubric_evidence_and_reasons_of_ours_go() -> None:
    record = for_candidate(to_json(replace(full_report(), reason="toy: engine at host-7 gone")))
    assert record["tasks"][0]["questions"][0].pop("answer") == ANSWER  # the candidate's own text is no secret
    text = json.dumps(record, ensure_ascii=False)
    for secret in ("clip the norm", "pattern", "hidden row 3", "host-7", "artifacts/toy.ipynb"):
        assert secret not in text
    assert record["tasks"][0]["diagnosis"][0]["bug"] == "the mask convention is inverted"


def test_the_copy_fits_the_schema_and_is_not_taken_for_the_record() -> None:
    copy = for_candidate(to_json(full_report()))
    assert violation(copy, "report") == ""
    assert copy["audience"] == "candidate"
    assert for_candidate(copy) == copy
    with pytest.raises(UsageError, match="candidate's copy"):
        from_json(copy)


def test_the_record_itself_is_not_changed() -> None:
    record = to_json(full_report())
    before = json.dumps(record)
    for_candidate(record)
    assert json.dumps(record) == before


def test_a_likely_slip_stays_without_its_figures_and_its_question() -> None:
    (row,) = for_candidate(to_json(full_report()))["tasks"][0]["diagnosis"]
    assert row["bug"] == "the mask convention is inverted"
    assert (row["evidence"], row["question"], row["question_zh"]) == ("", "", "")
    assert for_candidate(to_json(full_report()))["tasks"][0]["artifacts"] == []
