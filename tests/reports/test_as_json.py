"""The record loads back equal, fits its schema, and holds no hostile text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import GraderError, UsageError
from grader.model import Json, Outcome
from grader.reports.as_json import from_json, read_report, to_json, write_report
from grader.schemas import violation
from grader.scoring import rejected_report
from tests.samples import ANSWER, RUN, TASK, check, full_report, report

DESIGNED = {
    "top": "schema_version grader submission status score run tasks",
    "submission": "id candidate sha256",
    "score": "earned possible percent",
    "run": "id backend isolated image attestation gpu seed started_at duration_s host versions",
    "task": "task version status score resources criteria checks questions diagnosis artifacts",
    "resources": "wall_s cpu_s max_rss_bytes gpu_mem_bytes",
    "criterion": "id title earned possible",
    "check": "id criterion visibility outcome earned possible message hint duration_s",
    "question": "id language score points flags needs_review",
    "point": "id title earned possible evidence rationale",
    "evidence": "quote start end",
    "diagnosis": "bug confidence evidence",
    "artifact": "name media_type path",
}


def test_the_designed_fields_are_all_there() -> None:
    record = to_json(full_report())
    task = record["tasks"][0]
    question = task["questions"][0]
    point = question["points"][0]
    found = {
        "top": record, "submission": record["submission"], "score": record["score"], "run": record["run"], "task": task,
        "resources": task["resources"], "criterion": task["criteria"][0], "check": task["checks"][0],
        "question": question, "point": point, "evidence": point["evidence"][0],
        "diagnosis": task["diagnosis"][0], "artifact": task["artifacts"][0],
    }  # fmt: skip
    for name, fields in DESIGNED.items():
        assert set(fields.split()) <= set(found[name]), name


def test_a_full_record_fits_the_schema_and_loads_back_equal() -> None:
    original = full_report()
    record = json.loads(json.dumps(to_json(original), allow_nan=False))
    assert violation(record, "report") == ""
    assert from_json(record) == original
    assert to_json(from_json(record)) == record


def test_a_rejected_report_loads_back_equal() -> None:
    original = rejected_report("bob", "'x' is a symbolic link", [TASK], RUN)
    assert from_json(to_json(original)) == original
    assert violation(to_json(original), "report") == ""


@given(st.text(max_size=60), st.sampled_from(list(Outcome)), st.integers(0, 4000), st.floats(0, 1))
def test_any_clean_check_loads_back_equal(message: str, outcome: Outcome, points: int, fraction: float) -> None:
    first = to_json(report(check("a", "contract", points / 100, outcome, fraction=fraction, message=message)))
    assert to_json(from_json(first)) == first
    assert violation(first, "report") == ""


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def test_no_string_anywhere_keeps_an_escape() -> None:
    hostile = "\x1b]52;c;x\x07\x9b31m\u202eevil\u200b\ud800\r"
    original = report(check("a", outcome=Outcome.RAISED, message=hostile))
    original = replace(
        original,
        submission=replace(original.submission, candidate=hostile, notes=(hostile,)),
        run=replace(original.run, versions={hostile: [hostile]}, host={"x": {"y": hostile}}),
    )
    for text in _strings(to_json(original)):
        assert not set(text) & set("\x1b\x07\x9b\u202e\u200b\ud800\r")


def test_what_a_worker_says_is_capped_and_finite() -> None:
    deep: Json = {}
    for _ in range(500):
        deep = {"d": deep}
    attestation = {"deep": deep, "long": list(range(10**5)), "text": "x" * 10**6, "nan": float("nan"), "odd": {1, 2}}
    record = to_json(replace(report(), run=replace(RUN, attestation=attestation)))
    said = record["run"]["attestation"]
    assert len(said["long"]) == 2000
    assert len(said["text"]) <= 16 * 1024
    assert said["nan"] is said["odd"] is None
    assert violation(record, "report") == ""


def test_written_reports_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "out" / "report.json"
    write_report(full_report(), path)
    assert read_report(path) == full_report()
    assert path.read_text(encoding="utf-8").endswith("}\n")


def test_a_file_is_held_against_the_schema_once_and_again_when_it_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str] = []

    def counted(instance: object, name: str) -> str:
        held.append(name)
        return violation(instance, name)

    monkeypatch.setattr("grader.reports.as_json.violation", counted)
    path = tmp_path / "report.json"
    write_report(full_report(), path)
    assert [read_report(path), read_report(path)] == [full_report(), full_report()]
    assert held == ["report"], "as it was written"
    text = path.read_text(encoding="utf-8")
    path.write_text(text + "\n", encoding="utf-8")
    assert [read_report(path), read_report(path)] == [full_report(), full_report()]
    assert held == ["report"] * 2
    path.write_text(text.replace('"status": "graded"', '"status": "great"'), encoding="utf-8")
    for _ in range(2):
        with pytest.raises(UsageError, match="not a report"):
            read_report(path)


def test_a_report_of_an_earlier_version_has_no_answers_and_is_read() -> None:
    record = to_json(full_report())
    assert record["tasks"][0]["questions"][0].pop("answer") == ANSWER
    assert violation(record, "report") == ""
    assert from_json(record).tasks[0].questions[0].answer == ""


def test_a_report_against_the_schema_is_a_bug_and_not_written(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    broken = replace(full_report(), submission=replace(full_report().submission, id="a/b"))
    with pytest.raises(GraderError, match="submission.id"):
        write_report(broken, path)
    assert not path.exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 10**5, "\x00"])
def test_what_is_no_report_is_a_usage_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError):
        read_report(path)


def test_another_version_of_the_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="schema_version"):
        from_json(to_json(report()) | {"schema_version": 2})
