"""The gradebook: one row for each submission, the same columns in the same places, nothing that becomes a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from grader.model import Json, Outcome
from grader.reports.as_csv import COLUMNS, TASK_COLUMNS, summary
from grader.reports.as_json import from_json, to_json
from grader.reports.audience import for_candidate
from grader.review.record import Addition, Override, add_overrides, review_path
from grader.review.results import load_result
from grader.scoring import rejected_report
from tests.review.samples import of_point, override, record, store
from tests.samples import RUN, TASK, check, full_report, report


def table(*records: Json) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(summary(records), newline=""), strict=True))


def named(candidate: str) -> Json:
    stored = full_report()
    return to_json(replace(stored, submission=replace(stored.submission, candidate=candidate)))


def decide(path: Path, *overrides: Override) -> None:
    add_overrides({review_path(path): Addition(submission="alice", overrides=overrides)})


def test_each_submission_has_a_row_with_its_scores_and_those_of_its_tasks() -> None:
    first, second = table(record(), to_json(report(check("shape"), check("fit", "learning", 60.0, Outcome.FAILED))))
    assert (first["submission"], first["candidate"], first["status"]) == ("alice", "Alice 李", "graded")
    assert (first["earned"], first["possible"], first["percent"]) == ("9.66", "18", "53.7")
    assert (first["toy.earned"], first["toy.possible"], first["toy.percent"]) == ("6.66", "10", "66.6")
    assert (first["written.status"], first["written.earned"]) == ("graded", "3")
    assert (first["flags"], first["needs_review"], first["isolated"]) == ("1", "1", "yes")
    assert first["sha256"] == "sha256:" + "cd" * 32
    assert (second["toy.earned"], second["written.status"], second["written.earned"]) == ("40", "", "")


def test_columns_keep_their_places_whatever_was_graded() -> None:
    one = summary([to_json(full_report())]).splitlines()[0].split(",")
    both = summary([record(), to_json(full_report())]).splitlines()[0].split(",")
    assert both[: len(one)] == one
    assert tuple(both[: len(COLUMNS)]) == COLUMNS
    assert both[len(COLUMNS) :] == [f"{task}.{name}" for task in ("toy", "written") for name in TASK_COLUMNS]
    assert summary([]).strip().split(",") == list(COLUMNS)


def test_points_of_a_person_stand_beside_the_machines(tmp_path: Path) -> None:
    path = store(tmp_path)
    decide(path, override(of_point("q02", "why"), 2.0))
    (line,) = table(load_result(path).view)
    assert line["needs_review"] == "1"
    decide(path, override(of_point("q02", "cost"), 2.0))
    (line,) = table(load_result(path).view)
    assert (line["earned"], line["reviewed_earned"], line["needs_review"]) == ("9.66", "12.66", "0")
    assert (line["written.earned"], line["written.reviewed_earned"]) == ("3", "6")


def test_a_refused_submission_has_a_row_that_says_why() -> None:
    (line,) = table(to_json(rejected_report("eve", "a link: x", [TASK], RUN)))
    assert (line["submission"], line["status"], line["reason"]) == ("eve", "rejected", "a link: x")
    assert (line["earned"], line["sha256"]) == ("0", "")


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2", "＝1", "x;=1", "\t=1", "a\r\n=1"])
def test_no_name_becomes_a_formula_or_a_row(name: str) -> None:
    text = summary([named(name)])
    assert text.count("\r\n") == 2
    (line,) = table(named(name))
    assert not line["candidate"].startswith(("=", "@", "+", "-", "＝"))
    assert ";=" not in line["candidate"]


def test_a_candidates_copy_has_no_flags() -> None:
    (line,) = table(for_candidate(record()))
    assert (line["flags"], line["needs_review"], line["percent"]) == ("0", "0", "53.7")


def test_a_row_is_made_from_a_record_that_was_read_back() -> None:
    assert summary([to_json(from_json(record()))]) == summary([record()])
