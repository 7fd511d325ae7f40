"""A task is what its file says, and a wrong file is named with the key and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import TaskBroken, UsageError
from grader.model import Limits
from grader.task import find_tasks, load_task, load_tasks
from tests.samples import CRITERIA, TASK_TOML

MakeTask = Callable[..., Path]


def test_a_task_is_read_with_its_limits(make_task: MakeTask) -> None:
    task = load_task(make_task())
    assert (task.id, task.version, task.gpu, task.title.zh, task.possible) == ("toy", "1.2", "optional", "玩具", 100.0)
    assert task.criteria == CRITERIA
    assert task.limits == Limits(memory_bytes=512 * 1024**2, call_cpu_s=3.0, pids=64)


def test_a_kit_without_hidden_tests_is_a_task(make_task: MakeTask) -> None:
    root = make_task()
    (root / "hidden" / "test_toy_hidden.py").unlink()
    (root / "hidden").rmdir()
    assert load_task(root).id == "toy"


def test_the_digest_covers_every_file_and_no_cache(make_task: MakeTask) -> None:
    root = make_task()
    before = load_task(root).sha256
    (root / "public" / "__pycache__").mkdir()
    (root / "public" / "__pycache__" / "x.pyc").write_bytes(b"1")
    assert load_task(root).sha256 == before
    (root / "hidden" / "data.npz").write_bytes(b"1")
    assert load_task(root).sha256 != before


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('gpu = "optional"', 'gpu = "maybe"', "gpu: 'maybe' is not one of"),
        ("points = 40", "points = 0", r"criteria\[0\].points"),
        ("points = 40", "points = 0.125", "two decimals"),
        ('id = "learning"', 'id = "contract"', "used twice"),
        ('version = "1.2"', "version = 1.2", "version: 1.2 is not of type 'string'"),
        ("pids = 64", "pid = 64", "limits: .*'pid' was unexpected"),
        ('id = "toy"', 'id = "Toy"', "lower-case"),
        ('id = "toy"', 'id = "submission"', "not 'submission'"),
        ('id = "toy"', "id = ", "Invalid value"),
    ],
)
def test_a_wrong_file_names_file_key_and_expectation(make_task: MakeTask, old: str, new: str, expected: str) -> None:
    root = make_task(toml=TASK_TOML.replace(old, new))
    with pytest.raises(TaskBroken, match=expected) as caught:
        load_task(root)
    assert str(root / "task.toml") in str(caught.value)


@pytest.mark.parametrize("missing", ["PROMPT.md", "public/test_toy.py"])
def test_every_task_has_a_prompt_and_public_tests(make_task: MakeTask, missing: str) -> None:
    root = make_task()
    (root / missing).unlink()
    with pytest.raises(TaskBroken, match=missing.partition("/")[0]):
        load_task(root)


def test_tasks_are_found_by_id_in_order(make_task: MakeTask) -> None:
    make_task("zoo", TASK_TOML.replace('"toy"', '"zoo"'))
    tasks_dir = make_task().parent
    assert list(find_tasks(tasks_dir)) == ["toy", "zoo"]
    assert list(load_tasks(tasks_dir, ["zoo", "toy", "zoo"])) == ["zoo", "toy"]
    assert list(load_tasks(tasks_dir, [])) == ["toy", "zoo"]


def test_an_unknown_task_lists_the_known_ones(make_task: MakeTask, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'toy'. known tasks: toy"):
        load_tasks(make_task().parent, ["tox"])
    with pytest.raises(UsageError, match="no tasks in"):
        find_tasks(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no task in"):
        load_task(tmp_path)


def test_a_broken_task_does_not_stop_another(make_task: MakeTask) -> None:
    make_task("bad", "id = 3")
    tasks_dir = make_task().parent
    assert list(load_tasks(tasks_dir, ["toy"])) == ["toy"]
    with pytest.raises(TaskBroken):
        find_tasks(tasks_dir)


def test_the_folder_must_bear_the_id(make_task: MakeTask) -> None:
    with pytest.raises(TaskBroken, match="not the name of the folder"):
        find_tasks(make_task("other").parent)


BUG = '[{name}]\nbug = {{ en = "too big", zh = "太大" }}\nquestion = {{ en = "why?", zh = "为什么？" }}\n'


def test_the_bugs_that_a_suite_can_name_are_read(make_task: MakeTask) -> None:
    root = make_task()
    assert load_task(root).bugs == ()
    (root / "hidden" / "bugs.toml").write_text(BUG.format(name="too_big"), encoding="utf-8")
    (bug,) = load_task(root).bugs
    assert (bug.id, bug.text.zh, bug.question.en) == ("too_big", "太大", "why?")


@pytest.mark.parametrize("text", ["[Bad-Name]", "[a]\nbug = 'x'", BUG.format(name="a").replace("why?", ""), "x ="])
def test_a_broken_catalogue_is_a_broken_task(make_task: MakeTask, text: str) -> None:
    root = make_task()
    (root / "hidden" / "bugs.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TaskBroken, match=r"bugs\.toml"):
        load_task(root)
