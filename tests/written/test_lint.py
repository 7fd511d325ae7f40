"""Lint tells authors what an alias really finds, and never what a held-back exemplar scored."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.written.compiled import CompiledRubric, compile_rubrics
from grader.written.lint import _aliases, lint
from tests.written.conftest import ROOT, TASK


def _with_groups(rubrics: Mapping[str, CompiledRubric], *groups: tuple[str, ...]) -> list[tuple[str, str]]:
    rubric = rubrics["q01"].rubric
    points = (dataclasses.replace(rubric.points[0], all_of=groups), *rubric.points[1:])
    return list(_aliases(compile_rubrics([dataclasses.replace(rubric, points=points)])["q01"]))


@pytest.mark.parametrize("alias", ["…", "=", "= ?", "->"])
def test_an_alias_without_a_word_is_an_error(rubrics: Mapping[str, CompiledRubric], alias: str) -> None:
    assert any(kind == "error" and "no word" in what for kind, what in _with_groups(rubrics, ("clip", "裁剪", alias)))


@pytest.mark.parametrize(("alias", "word"), [("by user", "user"), ("to CPU", "cpu"), ("A/B", "b"), ("at most", "most")])
def test_an_alias_that_shrinks_to_one_word_is_named(
    rubrics: Mapping[str, CompiledRubric], alias: str, word: str
) -> None:
    said = [what for kind, what in _with_groups(rubrics, ("clip", "裁剪", alias)) if kind == "warning"]
    assert any(f"{alias!r} finds the word {word!r} alone" in what for what in said)


@pytest.mark.parametrize("alias", ["=by user", "user", "gradient clipping", "梯度裁剪", "<1..5>"])
def test_an_alias_that_keeps_its_words_is_not(rubrics: Mapping[str, CompiledRubric], alias: str) -> None:
    assert not any("alone" in what for _, what in _with_groups(rubrics, ("warm-up", "预热", alias)))


def test_words_that_earn_two_groups_at_once_are_named(rubrics: Mapping[str, CompiledRubric]) -> None:
    said = _with_groups(rubrics, ("batch", "批"), ("batching", "拼批"))
    assert any("'batch' and 'batching'" in what for _, what in said)


def test_held_back_exemplars_are_neither_judged_nor_shown(tmp_path: Path) -> None:
    for part in ("tasks/written", "reference/written"):
        shutil.copytree(ROOT / part, tmp_path / part)
    path = tmp_path / "tasks/written/exemplars/q01.jsonl"
    rows = path.read_text("utf-8")
    before = set(lint(TASK / "q01.toml"))
    path.write_text("\n".join(
        row if '"split": "train"' in row else row.replace(": 1,", ": 0,").replace(": 0.5", ": 1")
        for row in rows.splitlines()
    ), encoding="utf-8")  # fmt: skip
    assert path.read_text("utf-8").strip() != rows.strip()
    assert set(lint(tmp_path / "tasks/written/q01.toml")) == before
