"""Repeated gradings that were cut off go on where they stopped, and rows of other versions do not count."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.repeat import Solution, counted, main, mend, read, row_of, table, wanted
from grader.model import Outcome
from tests.samples import check, report

SOLUTIONS = [Solution("reference", Path("a"), "aa"), Solution("other", Path("b"), "bb")]


def row(solution: str, percent: float = 100.0, **changes: Any) -> dict[str, Any]:
    """A kept grading."""
    sha = {"reference": "aa", "other": "bb"}[solution]
    kept = {"task": "toy", "version": "1.2", "solution": solution, "sha256": sha, "backend": "process", "seed": 7}
    return {**kept, "percent": percent, "not_passed": {}, "cpu_s": 1.5, **changes}


def test_a_row_says_what_was_graded_and_what_did_not_pass() -> None:
    found = row_of("x", report(check("a"), check("b", "learning", 60.0, outcome=Outcome.FAILED)))
    assert (found["task"], found["version"], found["solution"], found["percent"]) == ("toy", "1.2", "x", 40.0)
    assert found["not_passed"] == {"b": "failed"}
    assert json.loads(json.dumps(found)) == found


def test_a_line_that_was_cut_off_is_dropped_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    assert read(path) == []
    mend(path)
    path.write_text(json.dumps(row("other")) + '\n{"task": "to', encoding="utf-8")
    assert read(path) == [row("other")]
    mend(path)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row("reference")) + "\n")
    assert read(path) == [row("other"), row("reference")]


def test_rows_of_another_task_version_or_code_do_not_count() -> None:
    others = [row("other", version="1.1"), row("other", task="gan"), row("other", sha256="cc")]
    tallies = counted([row("reference"), *others], "toy", "1.2", SOLUTIONS)
    assert {name: tally.scores.total() for name, tally in tallies.items()} == {"reference": 1, "other": 0}


def test_what_is_missing_is_graded_round_by_round() -> None:
    tallies = counted([row("reference"), row("reference"), row("other")], "toy", "1.2", SOLUTIONS)
    assert [solution.name for solution in wanted(SOLUTIONS, tallies, 3)] == ["other", "reference", "other"]
    assert list(wanted(SOLUTIONS, tallies, 1)) == []


def test_the_table_names_a_check_that_did_not_always_pass_with_its_seeds() -> None:
    rows = [row("other"), row("other", 90.0, not_passed={"a": "failed"}, seed=11)]
    lines = list(table(counted(rows, "toy", "1.2", SOLUTIONS)))
    assert lines[2:] == ["| other | 2 | 90: 1, 100: 1 | a (failed): 11 | 1.5 / 1.5 / 1.5 |"]


def test_a_version_is_for_the_table_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--task", "gan", "--version", "1.0", "--times", "1"]) == 2
    assert "--version goes with --table" in capsys.readouterr().err
    assert main(["--task", "gan", "--version", "0.0", "--table"]) == 0
