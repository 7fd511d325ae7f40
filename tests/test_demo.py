"""The demo finds every sample, tells what differs, and says in one line that nothing can be isolated."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from grader.config import Settings
from grader.expectation import Expectation, TaskExpectation, read_expected
from grader.model import Report, ReportStatus, Run, Score, ScoredQuestion, SubmissionInfo
from grader.reports.as_json import read_report
from grader.task import find_tasks
from tests.samples import full_report

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "examples" / "demo.py"
TASK = "cnn_classifier"


@pytest.fixture(scope="module")
def demo() -> ModuleType:
    """examples/demo.py as a module."""
    spec = importlib.util.spec_from_file_location("demo", DEMO)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["demo"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _expected(low: float, high: float) -> Expectation:
    return Expectation(tasks={TASK: TaskExpectation(percent=(low, high))})


def _report(earned: float, status: ReportStatus = ReportStatus.GRADED) -> Report:
    return Report(
        grader_version="0",
        submission=SubmissionInfo(id="ada", candidate="ada"),
        status=status,
        score=Score(earned=earned, possible=100),
        run=Run(id="1", backend="docker", isolated=True, seed=1, started_at="", attestation={TASK: {"green": True}}),
    )


def test_every_sample_and_every_reference_is_found(demo: ModuleType) -> None:
    found = [sample.id for sample in demo.find_samples(find_tasks(Settings().tasks_dir))]
    folders = sorted(path.name for path in (ROOT / "candidates").iterdir() if path.is_dir())
    references = [name for name in found if name.startswith("reference-")]
    assert f"reference-{TASK}" in references
    assert found == references + folders


def test_table_shows_a_difference_below_its_row(demo: ModuleType) -> None:
    sample = demo.Sample("ada", Path("ada"), _expected(40, 60))
    lines = demo.table([demo.Result(sample, _report(70), ["70 % is outside 40..60 %"])])
    assert lines[0].split("  ")[0] == "submission"
    assert re.split(r"\s{2,}", lines[2]) == ["ada", "-", "70 %", "graded", "graded", "-", "-", "NO"]
    assert lines[3] == "    70 % is outside 40..60 %"


def test_table_has_a_line_for_each_task_and_says_how_many_questions_are_answered(demo: ModuleType) -> None:
    code = replace(full_report().tasks[0], id=TASK, questions=())
    questions = (
        ScoredQuestion(id="q01", language="en", score=Score(earned=8, possible=10)),
        ScoredQuestion(id="q02", language="none", score=Score(earned=0, possible=10), flags=("unanswered",)),
    )
    written = replace(code, id="written", checks=(), questions=questions, score=Score(earned=8, possible=20))
    graded = replace(_report(28), tasks=(code, written))
    expected = Expectation(
        tasks={TASK: TaskExpectation(percent=(20, 20)), "written": TaskExpectation(percent=(30, 50))}
    )
    lines = demo.table([demo.Result(demo.Sample("ada", Path("ada"), expected), graded, [])])
    assert [re.split(r"\s{2,}", line.strip()) for line in lines[2:]] == [
        ["ada", TASK, "20 %", "20 %", "graded", "yes", "yes", "yes"],
        ["written (1 of 2: 80 %)", "40 %", "30-50 %", "graded", "-", "-"],
    ]
    assert max(map(len, lines)) <= 110


def test_answers_of_at_least_six_samples_are_graded_and_each_kind_is_there(demo: ModuleType) -> None:
    samples = demo.find_samples(find_tasks(Settings().tasks_dir))
    written = {sample.id: sample.expected.tasks["written"] for sample in samples if "written" in sample.expected.tasks}
    assert len(written) >= 6
    flags = {flag for task in written.values() for row in task.flags.values() for flag in row}
    assert {"stuffed", "copied_question", "injection"} <= flags
    assert any(task.answered[0] >= 80 for task in written.values() if task.answered)
    assert any(task.answered[1] <= 15 for task in written.values() if task.answered)


@pytest.mark.parametrize("name", sorted(path.parent.name for path in ROOT.glob("candidates/*/answers*")))
def test_written_answers_of_a_sample_get_what_it_declares(demo: ModuleType, name: str, tmp_path: Path) -> None:
    tasks = {"written": find_tasks(Settings().tasks_dir)["written"]}
    expected = read_expected(ROOT / "candidates" / name / "expected.toml")
    only = replace(expected, tasks={"written": expected.tasks["written"]})
    (result,) = demo.grade_all([demo.Sample(name, ROOT / "candidates" / name, only)], tasks, 1, tmp_path)
    assert result.problems == []


@pytest.mark.parametrize(
    ("report", "problems", "code"),
    [
        (_report(50), [], 0),
        (_report(50), ["out of range"], 3),
        (_report(0, ReportStatus.UNGRADED), ["status is ungraded"], 5),
    ],
)
def test_exit_status_is_zero_only_where_all_is_as_declared(
    demo: ModuleType, report: Report, problems: list[str], code: int
) -> None:
    good = demo.Result(demo.Sample("bo", Path("bo"), _expected(0, 100)), _report(50), [])
    other = demo.Result(demo.Sample("ada", Path("ada"), _expected(40, 60)), report, problems)
    assert demo._exit_code([good, other]) == code


def test_without_an_engine_it_says_so_in_one_line_and_exits_with_4(tmp_path: Path) -> None:
    environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    command = [sys.executable, str(DEMO), "--output", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert done.stderr.startswith("demo: no Docker engine answers")
    assert done.stderr.count("\n") == 1
    assert not done.stdout


@pytest.mark.docker
@pytest.mark.slow
def test_a_sample_is_graded_in_a_container_and_its_report_is_kept(tmp_path: Path) -> None:
    command = [sys.executable, str(DEMO), "--only", "erik_syntax_error", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert read_report(tmp_path / "erik_syntax_error" / "report.json").run.isolated
    assert done.stdout.splitlines()[-1] == f"reports: {tmp_path}/<submission>/report.json; pages: {tmp_path}/index.html"
    assert "erik_syntax_error" in (tmp_path / "index.html").read_text(encoding="utf-8")
