"""Answers written for the grader instead of the question: not a hundredth more than the same answer without them."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest

from grader.config import Settings
from grader.model import ScoredQuestion, TaskResult
from grader.submission import load_submission
from grader.task import load_tasks
from grader.written.task import grade_written
from tests.attacks.arena import DATA, Attack, attacks

ROOT = Path(__file__).resolve().parents[2]
BLOCK = attacks("written")


@cache
def task() -> object:
    return load_tasks(Settings().tasks_dir, ["written"])["written"]


def marked(folder: Path) -> TaskResult:
    return grade_written(task(), load_submission(folder, ["vault"]))  # type: ignore[arg-type]  # cache hides the type


def question(folder: Path, name: str = "q01") -> ScoredQuestion:
    return next(row for row in marked(folder).questions if row.id == name)


@pytest.fixture(scope="module")
def honest() -> ScoredQuestion:
    """The weak answer that the attacks are built on."""
    found = question(DATA / "controls" / "weak_answer")
    assert 0 < found.score.percent < 60
    return found


@pytest.mark.parametrize("attack", BLOCK, ids=lambda attack: attack.folder.name)
def test_no_answer_talks_its_score_up(attack: Attack, honest: ScoredQuestion, tmp_path: Path) -> None:
    found = question(attack.folder / "submission")
    most = attack.must.get("cap", honest.score.earned / honest.score.possible) * found.score.possible
    assert found.score.earned <= most + 1e-9
    assert found.score.possible == honest.score.possible
    if "flag" in attack.must:
        assert attack.must["flag"] in found.flags
        assert found.needs_review
    others = [row for row in marked(attack.folder / "submission").questions if row.id != "q01"]
    assert sum(row.score.earned for row in others) == 0.0


def test_the_controls_score_as_ever_after_all_of_them(honest: ScoredQuestion, tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    shutil.copy(ROOT / "reference" / "written" / "q01.en.md", tmp_path / "answers" / "q01.md")
    best = question(tmp_path)
    for attack in BLOCK:
        question(attack.folder / "submission")
    assert question(DATA / "controls" / "weak_answer") == honest
    assert question(tmp_path) == best
    assert best.score.percent >= 95
