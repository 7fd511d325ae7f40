"""Tasks of one submission that are graded at a time: the same report, and each stands for itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from grader import GraderError, Settings, grade
from grader.batch.command import Options, run_batch
from grader.batch.discovery import Found
from grader.errors import ExitCode
from grader.model import CheckResult
from grader.reports.as_json import to_json
from grader.task import load_tasks
from tests.attacks.drills import wait_for
from tests.batch.kills import lasting
from tests.faulty import FAULTS, GOOD

ADDER = Path(__file__).parent / "data" / "tasks" / "adder"


@pytest.fixture
def tasks_dir(tmp_path: Path) -> Path:
    """The tasks `adder` and `summer`, which are one task by two names."""
    folder = tmp_path / "tasks"
    for name in ("adder", "summer"):
        shutil.copytree(ADDER, folder / name)
        for file in (folder / name).rglob("*.toml"):
            file.write_text(file.read_text(encoding="utf-8").replace("adder", name), encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["process", pytest.param("docker", marks=pytest.mark.docker)])
def test_the_report_is_that_of_one_after_the_other(
    backend: str, tasks_dir: Path, tmp_path: Path, make_folder: Callable[..., Path], request: pytest.FixtureRequest
) -> None:
    if backend == "docker":
        request.getfixturevalue("sandbox_image")
    folder = make_folder("ada", {"adder.py": GOOD, "summer.py": FAULTS["raises"][0]})
    settings = Settings(tasks_dir=tasks_dir, backend=backend, seed=5)
    told: list[tuple[str, str]] = []
    threads: set[threading.Thread] = set()

    def on_check(task: str, check: CheckResult) -> None:
        told.append((task, check.spec.id))
        threads.add(threading.current_thread())

    reports = []
    for jobs in (1, 2):
        output = tmp_path / f"out{jobs}" / "report.json"
        grade(folder, settings=settings, output=output, on_check=on_check, jobs=jobs)
        report = json.loads(output.read_text(encoding="utf-8"))
        del report["run"]["id"]
        reports.append(report)
    assert lasting(reports[0]) == lasting(reports[1])
    assert [task["task"] for task in reports[1]["tasks"]] == ["adder", "summer"]
    assert sorted(told[:6]) == sorted(told[6:]), "every check is told of once"
    assert threads == {threading.current_thread()}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["grade", "batch"])
def test_slots_that_are_left_over_share_a_task(
    how: str, tmp_path: Path, make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.judge.crew.HELP_AFTER_S", 0.0)
    seen = tmp_path / "seen"
    seen.mkdir()
    meets = (
        "import os, pathlib, time\n"
        f"seen = pathlib.Path({str(seen)!r})\n"
        "(seen / str(os.getppid())).touch()  # the sandbox that this process is a child of\n"
        "end = time.monotonic() + {patience}\n"
        "while len(list(seen.iterdir())) < 2 and time.monotonic() < end: time.sleep(0.02)\n"
    )
    reports = []
    for jobs, patience in ((1, 0), (2, 60)):
        for file in seen.iterdir():
            file.unlink()
        folder = make_folder(f"in{jobs}/ada", {"adder.py": meets.format(patience=patience) + GOOD})
        reports.append(_report(how, folder, tmp_path / f"out{jobs}", jobs))
        assert len(list(seen.iterdir())) == jobs, "sandboxes"
    assert reports[0] == reports[1]
    assert reports[0]["score"]["percent"] == 100


def _report(how: str, folder: Path, out: Path, jobs: int) -> dict[str, Any]:
    """What two gradings of one code have in common, by way of `grader grade` or `batch`."""
    settings = Settings(tasks_dir=ADDER.parent, backend="process", seed=5)
    if how == "batch":
        options = Options(out=out, jobs=jobs, quiet=True)
        run_batch([Found(id="ada", path=folder)], load_tasks(ADDER.parent, ["adder"]), settings, options)
        report = json.loads((out / "ada" / "report.json").read_text(encoding="utf-8"))
    else:
        report = to_json(grade(folder, ["adder"], settings=settings, jobs=jobs))
    del report["run"]["id"], report["submission"]
    return cast("dict[str, Any]", lasting(report))


@pytest.mark.slow
def test_a_task_that_cannot_be_graded_takes_no_other_with_it(tasks_dir: Path, make_folder: Callable[..., Path]) -> None:
    next((tasks_dir / "summer" / "hidden").glob("test_*.py")).write_text("import no_such_module\n", encoding="utf-8")
    folder = make_folder("ada", {"adder.py": GOOD, "summer.py": GOOD})
    faults: list[GraderError] = []
    settings = Settings(tasks_dir=tasks_dir, backend="process")
    report = grade(folder, settings=settings, on_fault=faults.append, jobs=2)
    assert {task.id: str(task.status) for task in report.tasks} == {"adder": "graded", "summer": "ungraded"}
    assert [fault.exit_code for fault in faults] == [ExitCode.TASK_BROKEN]


@pytest.mark.slow
def test_an_interrupt_stops_all_of_them(tasks_dir: Path, tmp_path: Path, make_folder: Callable[..., Path]) -> None:
    said = tmp_path / "said"
    said.mkdir()
    sleeps = f"import pathlib, time\npathlib.Path({str(said)!r}, __name__).touch()\ntime.sleep(100)\n"
    folder = make_folder("ada", {"adder.py": sleeps, "summer.py": sleeps})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "grader.cli", "grade", str(folder), "--tasks-dir", str(tasks_dir), "-j", "2"]
    process = subprocess.Popen(
        [*command, "--backend", "process"], env=os.environ | {"TMPDIR": str(scratch)}, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: len(list(said.iterdir())) == 2, 60)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "interrupted" in errors
    assert list(scratch.iterdir()) == []
