"""A kit is whole, works by itself, and says with the words of the grading what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from grader import api
from grader.cli import cli
from grader.commands.options import settings_in_kit
from grader.config import Settings
from grader.errors import TaskBroken, UsageError
from grader.kit import finding
from grader.kit.finding import find_kit
from grader.kit.writing import write_kit
from grader.model import Outcome, Task
from grader.schemas import violation
from grader.task import find_tasks, load_tasks
from tests.faulty import FAULTS, GOOD

ROOT = Path(__file__).resolve().parents[2]
TOYS = ROOT / "tests" / "data" / "tasks"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit of every task."""
    return write_kit(find_tasks(ROOT / "tasks"), tmp_path_factory.mktemp("kit") / "all").root


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    """A kit of the adder."""
    return write_kit(find_tasks(TOYS), tmp_path / "kit").root


def test_a_kit_has_prompts_in_both_languages_starters_public_tests_and_the_questions(whole: Path) -> None:
    for task in ("cnn_classifier", "transformer", "gan"):
        folder = whole / "tasks" / task
        assert (folder / "PROMPT.md").is_file()
        assert (folder / "PROMPT.zh.md").is_file()
        assert list(folder.glob("public/test_*.py"))
        starter = (folder / "starter" / f"{task}.py").read_bytes()
        assert (whole / "submission" / f"{task}.py").read_bytes() == starter
    answers = (whole / "submission" / "answers.md").read_text(encoding="utf-8")
    assert answers.count("\n## Q") == 30


def test_the_readmes_name_the_two_commands_and_files_that_exist(whole: Path) -> None:
    for name in ("README.md", "README.zh-CN.md"):
        text = (whole / name).read_text(encoding="utf-8")
        first, second = (line[2:] for line in text.splitlines() if line.startswith("$ "))
        assert (whole / first.removeprefix("pip install ./")).is_file()
        assert second == "grader check"
        candidates = {str(outcome) for outcome in Outcome} - {"task_broken", "sandbox_down"}
        assert candidates <= set(text.replace("`", " ").split())
        for target in ("submission/gan.py", "submission/answers.md", "tasks/transformer/PROMPT"):
            assert target in text


def test_task_files_hold_public_keys_alone(tmp_path: Path, make_task: Callable[..., Path]) -> None:
    root = make_task("toy")
    text = (root / "task.toml").read_text(encoding="utf-8")
    (root / "task.toml").write_text("# the hidden data are CANARY\n" + text, encoding="utf-8")
    original = find_tasks(root.parent)["toy"]
    copy = find_tasks(write_kit({"toy": original}, tmp_path / "kit").tasks_dir)["toy"]
    assert (copy.criteria, copy.limits, copy.title, copy.gpu) == (
        original.criteria, original.limits, original.title, original.gpu,
    )  # fmt: skip
    written = (tmp_path / "kit" / "tasks" / "toy" / "task.toml").read_text(encoding="utf-8")
    assert "CANARY" not in written
    assert violation(tomllib.loads(written), "task") == ""


def test_the_same_tasks_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = (write_kit(find_tasks(TOYS), tmp_path / name).root for name in ("one", "two"))
    files = {path.relative_to(one) for path in one.rglob("*") if path.is_file()}
    assert files == {path.relative_to(two) for path in two.rglob("*") if path.is_file()}
    assert all((one / path).read_bytes() == (two / path).read_bytes() for path in files)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    tasks = find_tasks(TOYS)
    (tmp_path / "empty").mkdir()
    write_kit(tasks, tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    for name in ("empty", "file"):
        with pytest.raises(UsageError, match="not empty"):
            write_kit(tasks, tmp_path / name)
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "file"]


def test_what_is_both_public_and_hidden_stops_a_kit(tmp_path: Path, make_task: Callable[..., Path]) -> None:
    root = make_task("toy")
    for folder in ("public", "hidden"):
        (root / folder / "digits.npz").write_bytes(b"the same figures")
    with pytest.raises(TaskBroken, match=r"public/digits.npz is the same file as hidden/digits.npz"):
        write_kit(find_tasks(root.parent), tmp_path / "kit")
    (root / "public" / "digits.npz").unlink()
    (root / "public" / "digits.npz").symlink_to("../hidden/digits.npz")
    with pytest.raises(TaskBroken, match="is a link"):
        write_kit(find_tasks(root.parent), tmp_path / "kit")
    assert not (tmp_path / "kit").exists()


def test_a_kit_is_found_from_inside_and_by_name(kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_kit(kit.parent) is None
    found = find_kit(kit / "tasks" / "adder")
    assert found is not None
    assert found.work == kit / "submission"
    assert not found.changed(load_tasks(kit))
    monkeypatch.chdir(kit / "submission")
    settings, seen = settings_in_kit(None, {})
    assert (settings.tasks_dir, seen) == (kit / "tasks", found)
    assert settings_in_kit(None, {"tasks_dir": TOYS}) == (Settings(tasks_dir=TOYS), None)
    assert list(load_tasks(kit)) == ["adder"]


def test_a_kit_of_another_user_is_not_taken_by_itself(kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_owner", lambda _path: os.geteuid() + 1)
    with pytest.raises(UsageError, match="belongs to another user"):
        find_kit(kit)


def test_a_changed_test_is_said(kit: Path) -> None:
    with (kit / "tasks" / "adder" / "public" / "test_public.py").open("a", encoding="utf-8") as file:
        file.write("\n")
    found = find_kit(kit)
    assert found is not None
    assert found.changed(load_tasks(kit)) == ["adder"]


def test_a_broken_mark_is_one_line(kit: Path) -> None:
    (kit / "grader-kit.json").write_text(json.dumps({"format": 2, "grader": "9", "tasks": {}}))
    with pytest.raises(UsageError, match="unpack the kit again"):
        find_kit(kit)


@pytest.mark.slow
def test_the_self_check_in_a_kit_has_the_outcomes_of_the_grading(kit: Path) -> None:
    """Each fault that grading meets has the same outcome on the same check here."""
    for name in ("exits", "wrong_function_name"):
        source, (expected, _, _) = FAULTS[name]
        (kit / "submission" / "adder.py").write_text(source)
        report = api.check(kit / "submission", settings=Settings(tasks_dir=kit))
        assert {row.id: row.outcome for row in report.tasks[0].checks} == {"adds_public": expected}


@pytest.mark.slow
def test_the_command_works_inside_a_kit_with_the_wheel_that_lies_in_it(kit: Path, tmp_path: Path) -> None:
    """As a candidate does it: an environment without a clone, the kit's wheel, `grader check`, nothing else."""
    python = environment_with(next(kit.glob("*.whl")), tmp_path / "venv")
    (kit / "submission" / "adder.py").write_text(GOOD)
    (kit / "submission" / "answers.md").write_text("## Q1\n\nClip the gradients.\n\n## Q2\n\n## Q3\n")
    command = [str(python), "-I", "-m", "grader.cli", "check"]
    done = subprocess.run(command, cwd=kit / "submission", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"Tasks of the kit in {kit}" in done.stderr
    assert "all checks passed (1)" in done.stdout
    assert "answers found, not graded here: q01\n" in done.stdout  # headings alone are no answers
    done = subprocess.run([*command, "--lang", "zh"], cwd=kit, capture_output=True, text=True, check=False)
    assert f"自查：只运行公开测试，你的代码直接在本机运行，没有隔离。\n题目来自题包 {kit}" in done.stderr
    assert "备注: 已找到以下题目的回答，自查不评分：q01\n" in done.stdout
    where = subprocess.run(
        [python, "-I", "-c", "import grader; print(grader.__file__)"], capture_output=True, text=True, check=True
    )
    assert where.stdout.startswith(str(tmp_path))


def environment_with(wheel: Path, folder: Path) -> Path:
    """A fresh environment with that wheel, and the packages of this one for what it needs; gives its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, packages], check=True)
    (packages / "others.pth").write_text(f"{Path(click.__file__).parents[1]}\n")
    return folder / "bin" / "python"


def test_a_command_that_grades_takes_no_kit_from_the_current_folder(kit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a folder must not decide what is graded: a submission may come as a kit of its own."""
    asked: list[Path] = []

    def grade(_submission: Path, tasks: Iterable[Task], **_rest: Any) -> None:
        asked.extend(Path(task.root) for task in tasks)
        raise UsageError("far enough")

    monkeypatch.setattr(api, "grade", grade)
    monkeypatch.chdir(kit)
    result = CliRunner().invoke(cli, ["grade", "submission", "--task", "gan"], standalone_mode=False)
    assert str(result.exception) == "far enough"
    assert asked == [ROOT / "tasks" / "gan"]


@pytest.mark.parametrize("words", [["kit"], ["kit", "gan", "--all"]])
def test_a_kit_is_of_some_tasks_or_of_all(words: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "kit")], standalone_mode=False)
    assert isinstance(result.exception, UsageError)
    assert not (tmp_path / "kit").exists()
