"""The demo finds every sample, tells what differs, and says in one line that nothing can be isolated."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from grader.config import Settings
from grader.expectation import Expectation, TaskExpectation
from grader.model import Report, ReportStatus, Run, Score, SubmissionInfo
from grader.reports.as_json import read_report
from grader.task import find_tasks

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
    assert re.split(r"\s{2,}", lines[2]) == ["ada", "70 %", "40-60 %", "graded", "-", "-", "NO"]
    assert lines[3] == "    70 % is outside 40..60 %"


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
    assert done.stdout.splitlines()[-1] == f"reports: {tmp_path}/<submission>/report.json"
