"""`from grader import grade, load_task, Report`: names, types and faults as docs/api.md says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader import GraderError, Report, Settings, Task, check, grade, load_report, load_task
from grader.errors import SubmissionRejected, UsageError
from tests.faulty import GOOD

TASKS = Path(__file__).parent / "data" / "tasks"
SETTINGS = Settings(tasks_dir=TASKS, backend="process")


def test_a_task_is_loaded_by_name_or_by_folder() -> None:
    by_name: Task = load_task("adder", tasks_dir=TASKS)
    assert by_name == load_task(TASKS / "adder") == load_task(str(TASKS / "adder"))
    assert load_task("cnn_classifier").id == "cnn_classifier"
    with pytest.raises(UsageError, match="did you mean 'adder'"):
        load_task("ader", tasks_dir=TASKS)


@pytest.mark.slow
def test_a_report_comes_back_as_it_was_written(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder, output = make_folder("ada", {"adder.py": GOOD}), tmp_path / "out" / "report.json"
    seen: list[tuple[str, str]] = []
    report: Report = grade(
        folder, ["adder"], settings=SETTINGS, output=output, on_check=lambda task, row: seen.append((task, row.spec.id))
    )
    assert report.score.percent == 100
    assert load_report(str(output)) == report
    assert seen == [("adder", row.id) for row in report.tasks[0].checks]


def test_what_we_cannot_grade_is_in_the_report_and_told(make_folder: Callable[..., Path]) -> None:
    faults: list[GraderError] = []
    report = grade(make_folder("empty", {}), settings=SETTINGS, on_fault=faults.append)
    assert (report.status, report.score.earned) == ("rejected", 0)
    assert [type(fault) for fault in faults] == [SubmissionRejected]
    assert report.reason in str(faults[0])
    with pytest.raises(SubmissionRejected, match="answers none of the tasks"):
        check(make_folder("notes", {"notes.md": "hello"}), settings=SETTINGS)


def test_what_stops_every_submission_is_raised(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nobody"):
        grade(tmp_path / "nobody", settings=SETTINGS)
    with pytest.raises(UsageError, match=r"tasks=\['adder'\]"):
        grade(tmp_path, "adder", settings=SETTINGS)


def test_a_self_check_is_never_isolated_and_never_hidden(make_folder: Callable[..., Path]) -> None:
    report = check(make_folder("ada", {"adder.py": "("}), [load_task(TASKS / "adder")], settings=Settings())
    assert not report.run.isolated
    assert {row.visibility for row in report.tasks[0].checks} == {"public"}
    assert {row.outcome for row in report.tasks[0].checks} == {"invalid"}
