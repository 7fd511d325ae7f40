"""A replay grades again as the report says, and tells what came out differently apart from why that may be."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from grader import cli
from grader.api import grade
from grader.config import Settings
from grader.errors import SandboxUnavailable, UsageError
from grader.replay import replay
from grader.reports.as_json import read_report, write_report
from grader.scoring import rejected_report
from tests.samples import RUN, TASK

DATA = Path(__file__).resolve().parent / "data/tasks"
# Right or wrong by the hidden numbers alone, which the seed decides.
LUCKY = """
def add(a, b):
    return a + b if float(a.reshape(-1)[0]) > 0.5 else a - b

def build():
    import torch
    class Twice(torch.nn.Module):
        def forward(self, x):
            return 2 * x
    return Twice()
"""
Graded = tuple[Path, Path, Settings]


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a submission, and its report with the seed 5 and another limit than the task's."""
    folder = tmp_path_factory.mktemp("replay")
    (folder / "lucky").mkdir()
    (folder / "lucky/adder.py").write_text(LUCKY, "utf-8")
    settings = Settings(backend="process", tasks_dir=DATA, seed=5, memory_mb=512)
    grade(folder / "lucky", settings=settings, output=folder / "report.json")
    return folder


@pytest.fixture
def graded(once: Path, tmp_path: Path) -> Graded:
    """Copies for one test: a report of `adder`, its submission, and settings without isolation and without a seed."""
    shutil.copytree(DATA, tmp_path / "tasks")
    shutil.copytree(once, tmp_path / "once")
    settings = Settings(backend="process", tasks_dir=tmp_path / "tasks")
    return tmp_path / "once/report.json", tmp_path / "once/lucky", settings


def test_the_same_seed_and_limits_give_the_same_outcomes(graded: Graded) -> None:
    path, submission, settings = graded
    done = replay(path, submission, settings)
    assert (done.differences, done.changes, done.error) == ((), (), None)
    before = read_report(path)
    assert done.report.run.seed == before.run.seed == 5
    assert done.report.tasks[0].limits == before.tasks[0].limits
    assert done.report.tasks[0].limits.memory_bytes == 512 * 1024**2


def test_another_submission_and_a_changed_task_are_named_as_reasons(graded: Graded) -> None:
    path, submission, settings = graded
    (submission / "adder.py").write_text("def add(a, b):\n    return a * b\n", "utf-8")
    with (settings.tasks_dir / "adder/hidden/test_adder_hidden.py").open("a", encoding="utf-8") as suite:
        suite.write("\n# changed\n")
    done = replay(path, submission, settings)
    assert [line.partition(":")[0] for line in done.changes] == ["the submission is another one", "adder"]
    assert "adder/doubles: passed 2/2 then, invalid 0/2 now" in done.differences
    assert done.differences[-1].startswith("score: ")


def test_the_command_tells_a_difference_by_its_exit_code(
    graded: Graded, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, submission, settings = graded
    report = read_report(path)
    check = report.tasks[0].checks[0]
    better = replace(check, score=replace(check.score, earned=check.score.possible / 4))
    write_report(replace(report, tasks=(replace(report.tasks[0], checks=(better, *report.tasks[0].checks[1:])),)), path)
    options = ["--backend", "process", "--tasks-dir", str(settings.tasks_dir)]
    monkeypatch.setattr(sys, "argv", ["grader", "replay", str(path), str(submission), "--quiet", *options])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert said.out.startswith(f"adder/{check.id}: {check.outcome} 0.5/2 then, ")
    assert len(said.out.splitlines()) == 1
    assert said.err == ""


def test_what_cannot_be_replayed_is_refused_before_anything_runs(graded: Graded, tmp_path: Path) -> None:
    path, submission, settings = graded
    with pytest.raises(UsageError, match=r"graded with the backend process, not docker \(--backend process\)"):
        replay(path, submission, replace(settings, backend="docker"))
    write_report(rejected_report("x", "a link", [TASK], RUN), tmp_path / "rejected.json")
    with pytest.raises(UsageError, match="nothing to replay"):
        replay(tmp_path / "rejected.json", submission, settings)
    with pytest.raises(UsageError, match="nowhere"):
        replay(path, tmp_path / "nowhere", settings)
    shutil.rmtree(settings.tasks_dir / "adder")
    with pytest.raises(UsageError, match="no tasks in"):
        replay(path, submission, settings)


@pytest.mark.docker
def test_a_replay_uses_the_image_of_the_report(
    sandbox_image: str, tmp_path: Path, make_folder: Callable[..., Path]
) -> None:
    submission = make_folder("lucky", {"adder.py": LUCKY})
    settings = Settings(tasks_dir=DATA, image=sandbox_image)
    report = grade(submission, settings=settings, output=tmp_path / "report.json")
    assert report.status == "graded", report.reason
    done = replay(tmp_path / "report.json", submission, replace(settings, image=None))
    assert (done.differences, done.changes, done.error) == ((), (), None)
    assert done.report.run.isolated
    gone = replace(report, run=replace(report.run, image="gone@sha256:" + "0" * 64))
    write_report(gone, tmp_path / "gone.json")
    with pytest.raises(SandboxUnavailable):
        replay(tmp_path / "gone.json", submission, replace(settings, image=None))
