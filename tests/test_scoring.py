"""Points follow from outcomes alone, add up for a reader, and never go to a fault of ours."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import TaskBroken
from grader.model import Criterion, Outcome, ReportStatus, SandboxFacts, Score, TaskStatus, Text
from grader.scoring import rejected_report, restricted_to, score_report, score_task
from tests.samples import RUN, SUBMISSION, TASK, check, result

THEIRS = [outcome for outcome in Outcome if not outcome.ours]


def test_passed_checks_earn_their_points() -> None:
    scored = score_task(result(check("a"), check("b", "learning", 60.0)))
    assert scored.score == Score(earned=100.0, possible=100.0)
    assert [row.score.earned for row in scored.criteria] == [40.0, 60.0]
    assert scored.status is TaskStatus.GRADED


@pytest.mark.parametrize("outcome", THEIRS)
def test_only_a_failed_check_can_have_a_share(outcome: Outcome) -> None:
    scored = score_task(result(check("a", outcome=outcome, fraction=0.25)))
    expected = {Outcome.PASSED: 40.0, Outcome.FAILED: 10.0}.get(outcome, 0.0)
    assert scored.checks[0].score == Score(earned=expected, possible=40.0)


@pytest.mark.parametrize("fraction", [float("nan"), float("inf"), -1.0])
def test_a_senseless_share_is_nothing(fraction: float) -> None:
    assert score_task(result(check("a", outcome=Outcome.FAILED, fraction=fraction))).score.earned == 0.0


def test_possible_is_what_the_task_says_even_if_checks_are_missing() -> None:
    assert score_task(result(check("a", points=10.0))).score == Score(earned=10.0, possible=100.0)


def test_a_missing_task_earns_nothing_of_everything() -> None:
    scored = score_task(result(status=TaskStatus.MISSING))
    assert (scored.status, scored.score) == (TaskStatus.MISSING, Score(earned=0.0, possible=100.0))


@pytest.mark.parametrize("outcome", [Outcome.TASK_BROKEN, Outcome.SANDBOX_DOWN])
def test_our_fault_makes_task_and_report_ungraded(outcome: Outcome) -> None:
    results = [result(check("a"), check("b", "learning", 60.0, outcome=outcome, message="engine gone"))]
    report = score_report(SUBMISSION, results, RUN)
    assert report.status is ReportStatus.UNGRADED
    assert report.tasks[0].status is TaskStatus.UNGRADED
    assert report.score == Score(earned=0.0, possible=100.0)
    assert report.reason == "toy: b: engine gone"


def test_thirds_add_up_to_full_marks() -> None:
    checks = [check(name, points=40 / 3) for name in "abc"]
    assert score_task(result(*checks)).criteria[0].score == Score(earned=40.0, possible=40.0)


def test_checks_that_offer_too_much_are_a_broken_task() -> None:
    with pytest.raises(TaskBroken, match="offer 41 of 40"):
        score_task(result(check("a", points=41.0)))
    with pytest.raises(TaskBroken, match="names the criterion 'style'"):
        score_task(result(check("a", "style")))


def test_the_report_adds_up_the_tasks() -> None:
    other = replace(TASK, id="zoo", criteria=(Criterion(id="contract", title=Text(en="C"), points=10.0),))
    results = [result(check("a")), result(check("b", points=10.0), task=other)]
    report = score_report(SUBMISSION, results, RUN)
    assert report.score == Score(earned=50.0, possible=110.0)
    assert report.submission.candidate == "Alice 李"


def test_one_sandbox_without_isolation_taints_the_run() -> None:
    facts = [
        SandboxFacts(backend="docker", isolated=flag, image="i", attestation={"ok": flag}) for flag in (True, False)
    ]
    results = [replace(result(), facts=facts[0]), replace(result(task=replace(TASK, id="zoo")), facts=facts[1])]
    run = score_report(SUBMISSION, results, RUN).run
    assert not run.isolated
    assert run.attestation == {"toy": {"ok": True}, "zoo": {"ok": False}}
    assert run.versions == {"python": "3.11.7"}


def test_a_rejected_submission_has_zero_of_all_points() -> None:
    report = rejected_report("bob", "a link", [TASK, TASK], RUN)
    assert (report.status, report.score) == (ReportStatus.REJECTED, Score(earned=0.0, possible=200.0))
    assert report.submission.sha256 == ""


def test_a_self_check_is_out_of_the_public_points() -> None:
    task = restricted_to(TASK, [check("a", points=15.0).spec, check("b", points=5.0).spec])
    assert [(row.id, row.points) for row in task.criteria] == [("contract", 20.0)]


@given(st.lists(st.tuples(st.integers(1, 2000), st.sampled_from(THEIRS), st.floats(0, 1)), max_size=30))
def test_sums_agree_on_every_level_in_any_order(rows: list[tuple[int, Outcome, float]]) -> None:
    checks = [
        check(f"c{index}", "contract", hundredths / 100, outcome, fraction=fraction)
        for index, (hundredths, outcome, fraction) in enumerate(rows)
    ]
    points = max(round(sum(hundredths for hundredths, _, _ in rows) / 100, 2), 0.01)
    task = replace(TASK, criteria=(Criterion(id="contract", title=Text(en="C"), points=points),))
    scored = score_task(result(*checks, task=task))
    assert scored.score.earned == round(sum(row.score.earned for row in scored.checks), 2)
    assert scored.score == scored.criteria[0].score
    assert 0.0 <= scored.score.earned <= scored.score.possible == points
    full = all(outcome is Outcome.PASSED for _, outcome, _ in rows) and bool(rows)
    assert (scored.score.percent == 100.0) >= full
    assert score_task(result(*reversed(checks), task=task)).score == scored.score
