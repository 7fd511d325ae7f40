"""Every fault of a submission gets its outcome, one clear line, and leaves the next submission untouched."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from grader.config import Settings
from grader.model import Report, ReportStatus
from grader.pipeline import Request, grade
from grader.task import load_tasks
from tests import warm
from tests.faulty import BOMBS, FAULTS, GOOD

TASKS = Path(__file__).parent / "data" / "tasks"


def graded(folder: Path, backend: str) -> Report:
    """The report of a submission of `adder`."""
    settings = Settings(tasks_dir=TASKS, backend=backend, seed=7)
    result = grade(folder, Request(tasks=load_tasks(TASKS), settings=settings, start=warm.start()))
    assert result.error is None
    return result.report


def outcomes(report: Report) -> tuple[str, ...]:
    """The outcomes of the three checks, in their order."""
    return tuple(str(check.outcome) for check in report.tasks[0].checks)


def assert_one_clear_line(report: Report) -> None:
    """Each check that did not pass says why, and the points are those of the checks that passed."""
    assert report.status is ReportStatus.GRADED
    checks = report.tasks[0].checks
    for check in checks:
        if check.outcome != "passed":
            assert check.message.strip()
            assert "Traceback" not in check.message
    assert report.score.earned == sum(check.score.possible for check in checks if check.outcome == "passed")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["syntax_error", "wrong_function_name", "raises", "wrong_shape", "hangs", "exits"])
def test_faults_have_the_same_outcomes_without_a_container(fault: str, make_folder: Callable[..., Path]) -> None:
    source, expected = FAULTS[fault]
    report = graded(make_folder(fault, {"adder.py": source}), "process")
    assert outcomes(report) == expected
    assert not report.run.isolated
    assert_one_clear_line(report)


@pytest.mark.docker
@pytest.mark.parametrize("fault", [*FAULTS, *BOMBS])
def test_faults_in_a_container(fault: str, make_folder: Callable[..., Path], sandbox_image: str) -> None:
    source, expected = {**FAULTS, **BOMBS}[fault]
    report = graded(make_folder(fault, {"adder.py": source}), "docker")
    assert outcomes(report) == expected
    assert report.run.isolated
    assert report.run.attestation["adder"]["green"]
    assert_one_clear_line(report)
    assert left_behind(report.run.id) == []


def left_behind(run_id: str) -> list[object]:
    """The containers of a run that still exist."""
    from grader.sandbox.container import connect
    from grader.sandbox.profile import LABEL

    with closing(connect()) as client:
        return list(client.api.containers(all=True, filters={"label": f"{LABEL}={run_id}"}))


@pytest.mark.docker
def test_a_good_submission_after_all_of_them(make_folder: Callable[..., Path], sandbox_image: str) -> None:
    report = graded(make_folder("good", {"adder.py": GOOD}), "docker")
    assert report.score.percent == 100.0
