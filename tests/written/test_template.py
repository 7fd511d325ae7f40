"""The file that candidates start from has every question, and what is not filled in is unanswered, not copied."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import cli
from grader.errors import TaskBroken
from grader.model import Submission, TaskResult
from grader.task import load_task
from grader.written.lint import lint_all
from grader.written.rubric import load_rubrics
from grader.written.task import grade_written
from grader.written.template import TEMPLATE, answers_template, main
from tests.written.conftest import ROOT, TASK

ANSWER = (ROOT / "reference" / "written" / "q03.en.md").read_text("utf-8")


def _graded(files: dict[str, str]) -> TaskResult:
    data = {name: text.encode() for name, text in files.items()}
    return grade_written(load_task(TASK), Submission(id="a", candidate="a", files=data, entries={}, sha256=""))


def test_the_template_is_in_step_with_the_rubrics() -> None:
    kept = (TASK / TEMPLATE).read_text("utf-8")
    again = "run: python -m grader.written.template"
    assert kept == answers_template(load_rubrics(TASK).values()), again


def test_every_question_is_there_in_both_languages_with_a_heading() -> None:
    kept = (TASK / TEMPLATE).read_text("utf-8")
    for rubric in load_rubrics(TASK).values():
        assert rubric.question.en in kept
        assert rubric.question.zh in kept
    assert re.findall(r"^## Q(\d+)$", kept, re.MULTILINE) == [str(number) for number in range(1, 31)]


def test_an_empty_template_is_thirty_unanswered_questions_and_nothing_to_review() -> None:
    questions = _graded({"answers.md": (TASK / TEMPLATE).read_text("utf-8")}).questions
    assert [question.flags for question in questions] == [("unanswered",)] * 30
    assert not any(question.needs_review for question in questions)


def test_an_answer_in_the_template_is_graded_as_in_a_file_of_its_own() -> None:
    filled = (TASK / TEMPLATE).read_text("utf-8").replace("## Q3\n", f"## Q3\n\n{ANSWER}\n")
    inside, alone = _graded({"answers.md": filled}), _graded({"answers/q03.md": ANSWER})
    assert inside.questions[2].score == alone.questions[2].score
    assert inside.questions[2].score.earned >= 9.5
    assert sum(question.score.earned for question in inside.questions) == inside.questions[2].score.earned


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_tasks_show_prints_every_question_with_its_id_in_the_chosen_language(lang: str) -> None:
    shown = CliRunner().invoke(cli, ["tasks", "show", "written", "--tasks-dir", str(TASK.parent), "--lang", lang])
    assert shown.exit_code == 0
    lines = [line.split(maxsplit=2) for line in shown.output.splitlines()[-30:]]
    questions = {rubric.id: rubric.question.in_language(lang) for rubric in load_rubrics(TASK).values()}
    assert {name: title.strip() for _, name, title in lines} == questions


def test_lint_asks_for_a_template_with_the_questions_of_the_task(tmp_path: Path) -> None:
    """Without one a kit has nothing to write answers into."""
    root = tmp_path / "tasks" / "written"
    (root / "exemplars").mkdir(parents=True)
    (tmp_path / "reference" / "written").mkdir(parents=True)
    for name in ("q01.toml", "exemplars/q01.jsonl"):
        shutil.copy(TASK / name, root / name)
    for name in ("q01.en.md", "q01.zh.md"):
        shutil.copy(ROOT / "reference" / "written" / name, tmp_path / "reference" / "written" / name)
    said: list[str] = []
    assert not lint_all(root, said.append)
    assert f"{TEMPLATE} is missing" in said[-1]
    main([str(root)])
    assert lint_all(root, said.append)
    (root / TEMPLATE).write_text("## Q1\n")
    assert not lint_all(root, said.append)
    assert f"run python -m grader.written.template {root}" in said[-1]


def test_the_maker_of_the_template_says_what_it_takes(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="usage"):
        main(["--help"])
    with pytest.raises(TaskBroken, match="at least one rubric"):
        main([str(tmp_path)])
