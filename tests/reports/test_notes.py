"""What a notebook's execution noted (cells that raised, lines that did not run) reaches every reader, cleaned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from grader.model import TaskStatus
from grader.reports.as_json import from_json, to_json
from grader.reports.as_text import render
from grader.reports.audience import for_candidate
from grader.schemas import violation
from grader.scoring import score_report
from tests.samples import RUN, SUBMISSION, check, result

NOTES = ("code cell 1: not run: !pip install torch", "code cell 3 raised ZeroDivisionError: division by zero")


def record(*notes: str, status: TaskStatus = TaskStatus.GRADED) -> dict[str, Any]:
    """A report whose task has these notes."""
    return to_json(score_report(SUBMISSION, [replace(result(check("a"), status=status), notes=notes)], RUN))


def test_notes_fit_the_schema_and_load_back_in_order() -> None:
    found = record(*NOTES)
    assert violation(found, "report") == ""
    assert found["tasks"][0]["notes"] == list(NOTES)
    assert from_json(found).tasks[0].notes == NOTES


def test_a_summary_shows_each_note_in_both_languages() -> None:
    shown = {lang: " ".join(render(record(*NOTES), lang, width=200).split()) for lang in ("en", "zh")}
    for note in NOTES:
        assert f"note: {note}" in shown["en"]
    assert "备注: 代码单元 1 未执行：!pip install torch" in shown["zh"]
    assert "备注: 代码单元 3 抛出 ZeroDivisionError: division by zero" in shown["zh"]


def test_the_candidate_reads_them_too() -> None:
    assert for_candidate(record(*NOTES))["tasks"][0]["notes"] == list(NOTES)


def test_a_report_of_an_earlier_version_has_none() -> None:
    found = record()
    del found["tasks"][0]["notes"]
    assert from_json(found).tasks[0].notes == ()
    assert for_candidate(found)["tasks"][0]["notes"] == []
    assert "note:" not in "".join(line for line in render(found).splitlines() if "skipped .git" not in line)


def test_hostile_notes_are_plain_text() -> None:
    text = str(record("raised \x1b]52;c;aGk=\x07\x1b[31mred\u202e\0"))
    assert "raised red" in text
    assert not any(mark in text for mark in ("\\x1b", "\\x00", "\u202e"))
