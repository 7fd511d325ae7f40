"""`grader report OUT --format ...`: one result or many, a text or a folder, and never over a record."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import junitparser
import pytest

from tests.review.samples import store
from tests.typed import Typed


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Results of two submissions."""
    for name in ("alice", "bob"):
        store(tmp_path / "out", name)
    return tmp_path / "out"


def test_csv_junit_and_markdown_put_many_into_one_text(typed: Typed, out: Path, tmp_path: Path) -> None:
    shown = typed("report", out, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.out, newline="")))
    assert [row["submission"] for row in rows] == ["alice", "bob"]
    target = tmp_path / "junit.xml"
    assert typed("report", out, "-f", "junit", "-o", target).code == 0
    assert len(list(junitparser.JUnitXml.fromfile(str(target)))) == 4
    assert "<summary>bob</summary>" in typed("report", out, "-f", "markdown").out


def test_a_gradebook_in_a_file_begins_with_a_mark_for_spreadsheets(typed: Typed, out: Path, tmp_path: Path) -> None:
    typed("report", out, "-f", "csv", "-o", tmp_path / "grades.csv")
    assert (tmp_path / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbfsubmission,")
    assert typed("report", out, "-f", "csv").out.startswith("submission,")


def test_gradescope_makes_a_file_for_each_submission(typed: Typed, out: Path, tmp_path: Path) -> None:
    folder = tmp_path / "gradescope"
    done = typed("report", out, "-f", "gradescope", "--audience", "candidate", "--leaderboard", "-o", folder)
    assert (done.code, done.err) == (0, f"{folder}: 2 files of 2 submissions\n")
    shown = json.loads((folder / "bob" / "results.json").read_text("utf-8"))
    assert shown["leaderboard"][0]["value"] == 53.7
    one = tmp_path / "results.json"
    typed("report", out / "alice", "-f", "gradescope", "-o", one)
    assert json.loads(one.read_text("utf-8"))["score"] == 9.66


def test_a_format_of_one_says_how_to_name_it(typed: Typed, out: Path, tmp_path: Path) -> None:
    typed("report", out).refused("holds 2 reports", str(out / "alice"))
    typed("report", out, "-f", "gradescope").refused("-o FOLDER")
    typed("report", out, "-f", "json", "-o", tmp_path / "x").refused("-o FILE")
    typed("report", out, "-f", "csv", "-o", tmp_path).refused("-o FILE")


@pytest.mark.parametrize("form", ["csv", "junit", "markdown", "gradescope"])
def test_no_format_replaces_a_record(typed: Typed, out: Path, form: str) -> None:
    before = (out / "alice" / "report.json").read_bytes()
    typed("report", out / "alice", "-f", form, "-o", out / "alice" / "report.json").refused("a record of ours")
    assert (out / "alice" / "report.json").read_bytes() == before
