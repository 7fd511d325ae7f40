"""What is wrong with a command's input is said in one line, with what to do, before anything long begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.errors import ExitCode
from grader.reports.as_json import write_report
from tests.samples import full_report
from tests.typed import Typed

ROOT = Path(__file__).resolve().parent.parent
STUB = ROOT / "candidates" / "dana_stub"
TASKS = Path(__file__).resolve().parent / "data" / "tasks"


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "out" / "ada" / "report.json"
    write_report(full_report(), path)
    return path


@pytest.mark.parametrize("option", ["-o", "--output"])
def test_a_place_that_cannot_be_written_is_said_before_the_grading(typed: Typed, tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("x")
    place = tmp_path / "file" / "report.json"  # below a file nothing can be made, also as root
    done = typed("grade", STUB, "--backend", "process", option, place)
    done.refused("cannot write", "folder that you may write to")
    assert "grading" not in done.err


def test_half_of_an_endpoint_is_said_before_the_grading(typed: Typed) -> None:
    typed("grade", STUB, "--llm-model", "m").refused("needs --llm-base-url", "GRADER_LLM_BASE_URL")
    typed("grade", STUB, "--llm-base-url", "http://127.0.0.1:1/v1").refused("needs --llm-model")


@pytest.mark.parametrize("command", [("report",), ("verify-report",), ("stats",), ("review", "--export", "x.csv")])
def test_what_is_no_report_is_said_without_the_words_of_the_system_or_the_schema(
    typed: Typed, tmp_path: Path, command: tuple[str, ...]
) -> None:
    typed(*command, tmp_path / "none.json").refused("none.json: No such file", "give a report.json")
    assert "Errno" not in typed(*command, tmp_path / "none.json").err
    (tmp_path / "text.json").write_text("not json")
    typed(*command, tmp_path / "text.json").refused("no JSON")
    (tmp_path / "other.json").write_text('{"schema_version": 1, "overrides": []}')
    done = typed(*command, tmp_path / "other.json")
    done.refused("not a report: top level")
    assert "[" not in done.err.replace("'overrides'", "")


def test_a_report_of_a_newer_version_is_told_from_what_is_no_report(typed: Typed, stored: Path) -> None:
    record = json.loads(stored.read_text("utf-8"))
    stored.write_text(json.dumps(record | {"schema_version": 7}), encoding="utf-8")
    typed("verify-report", stored).refused("newer version", "schema_version 7", "update grader")


def test_the_folder_of_a_report_stands_for_it(typed: Typed, stored: Path) -> None:
    assert typed("verify-report", stored.parent) == typed("verify-report", stored)
    done = typed("replay", stored.parent, stored.parent / "nobody", "--tasks-dir", TASKS)
    done.refused("there is no task 'toy'")  # the report was read


def test_one_submission_is_not_compared_with_itself(typed: Typed, tmp_path: Path) -> None:
    typed("compare", STUB).refused("is itself a submission", "the folder around it")
    typed("compare", tmp_path / "nothing").refused("cannot read the folder", "give a folder of submissions")


def test_a_word_that_no_case_has_is_a_slip_of_the_user_and_no_broken_task(typed: Typed) -> None:
    typed("tasks", "validate", "cnn_classifier", "--only", "no-such-case").refused("no case that matches", "mutant")


def test_a_folder_that_answers_no_task_is_asked_about(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    done = typed("grade", tmp_path, "--backend", "process", "--tasks-dir", TASKS)
    assert done.code == ExitCode.GRADED
    assert "note: no file here answers a task of this run" in done.out
    assert "right folder?" in done.out
