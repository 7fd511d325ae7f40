"""`grader report` and `grader review` as they are typed: what goes where, one line for each error, its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import cli
from grader.errors import ExitCode, UsageError
from grader.model import Json
from grader.reports import WRITERS, writer
from grader.reports.as_json import write_report
from grader.schemas import violation
from tests.review.samples import csv_of, entries, given, store, table
from tests.samples import full_report

Run = Callable[..., "Result"]


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, as the console script does."""

    def call(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Results of two submissions."""
    for name in ("alice", "bob"):
        store(tmp_path / "out", name)
    return tmp_path / "out"


def refused(result: Result, *words: str) -> None:
    """Exit code 2, and one line that has the words."""
    assert result.code == ExitCode.USAGE, result
    (line,) = result.err.splitlines()
    assert line.startswith("grader: ")
    for word in words:
        assert word in line


def filled(out: Path, fill: dict[str, tuple[str, str]], name: str = "filled.csv") -> Path:
    path = out.parent / name
    path.write_text(csv_of(table(out, fill)), "utf-8", newline="")
    return path


def merged(run: Run, out: Path, *options: str) -> Json:
    record: Json = json.loads(run("report", out / "alice", "--format", "json", *options).out)
    return record


def test_points_go_from_the_export_through_the_import_to_the_report(run: Run, out: Path) -> None:
    sheet = out.parent / "review.csv"
    exported = run("review", out, "--export", sheet)
    assert exported.code == 0
    assert exported.err == f"{sheet}: 2 submissions, 14 rows, 4 of them need a review\n"
    data = sheet.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfsubmission,task,")
    first = data.decode("utf-8-sig").splitlines()[1]
    assert first.endswith(",,,,sha256:cdcdcdcdcdcd")
    mine = first.replace(",,,,sha256", ",2,said it aloud,,sha256")
    sheet.write_bytes(data.replace(first.encode(), mine.encode(), 1))
    done = run("review", out, "--import", sheet, "--reviewer", "Bo Li")
    assert (done.code, done.err) == (0, "1 override added to 1 review\n")
    assert given(out / "alice" / "report.json") == {"written/q02/why": 2.0}
    text = run("report", out / "alice").out
    assert "human: 2 / 2  said it aloud (Bo Li, 20" in text
    assert "Written answers  3 / 8  reviewed: 4 / 8" in text
    again = run("review", out, "--import", sheet, "--reviewer", "Bo Li")
    assert again.err == "0 overrides added to 0 reviews, 1 row unchanged\n"


def test_one_folder_or_file_is_enough(run: Run, out: Path) -> None:
    sheet = filled(out, {"alice/toy/mask": ("1", "half right")})
    assert run("review", out / "alice", "--import", sheet, "--reviewer", "Bo").code == 0
    for path in (out / "alice", out / "alice" / "report.json"):
        assert "reviewed: 10.66 / 18" in run("report", path).out
    exported = run("review", out / "alice" / "report.json", "--export", out.parent / "one.csv")
    assert "1 submission, 7 rows" in exported.err


def test_a_report_of_another_name_has_its_own_review(run: Run, tmp_path: Path) -> None:
    write_report(full_report(), tmp_path / "ada.json")
    sheet = tmp_path / "t.csv"
    sheet.write_text("submission,question,point,human_points,reason\nalice,q01,p1,2,yes\n", "utf-8")
    assert run("review", tmp_path / "ada.json", "--import", sheet, "--reviewer", "Bo").code == 0
    assert (tmp_path / "ada.review.json").is_file()
    assert "human: 2 / 2" in run("report", tmp_path / "ada.json").out


def test_json_is_the_record_with_the_review(run: Run, out: Path) -> None:
    plain = merged(run, out)
    assert "reviewed_score" not in plain
    run("review", out, "--import", filled(out, {"alice/toy/mask": ("1", "half right")}), "--reviewer", "Bo")
    record = merged(run, out)
    assert violation(record, "report") == ""
    assert (record["score"], record["reviewed_score"]["earned"]) == (plain["score"], 10.66)
    assert record["tasks"][0]["checks"][2]["human"]["reason"] == "half right"


def test_a_candidates_copy_has_the_points_and_no_name(run: Run, out: Path) -> None:
    run("review", out, "--import", filled(out, {"alice/toy/mask": ("1", "half right")}), "--reviewer", "Bo Li")
    for form in ("json", "text"):
        copy = run("report", out / "alice", "--audience", "candidate", "--format", form).out
        assert "Bo Li" not in copy
        assert "half right" not in copy
    record = merged(run, out, "--audience", "candidate")
    assert record["audience"] == "candidate"
    assert record["run"]["seed"] is None
    assert record["reviewed_score"]["earned"] == 10.66


def test_output_goes_to_a_file_whole_or_not_at_all(run: Run, out: Path) -> None:
    target = out.parent / "copies" / "alice.txt"
    done = run("report", out / "alice", "--lang", "zh", "-o", target)
    assert (done.code, done.out) == (0, "")
    assert "已评分" in target.read_text("utf-8")
    refused(run("report", out / "alice", "-o", out / "alice" / "report.json" / "x"), "cannot write")


@pytest.mark.parametrize("name", ["alice/report.json", "bob/report.json", "alice/review.json", "link.json"])
def test_no_record_is_written_over(run: Run, out: Path, name: str) -> None:
    run("review", out, "--import", filled(out, {"alice/toy/mask": ("1", "half right")}), "--reviewer", "Bo")
    (out / "link.json").symlink_to(out / "alice" / "report.json")
    before = {path: path.read_bytes() for path in out.rglob("*.json")}
    refused(run("report", out / "alice", "--format", "json", "-o", out / name), "record of ours")
    refused(run("review", out, "--export", out / name), "record of ours")
    assert {path: path.read_bytes() for path in out.rglob("*.json")} == before


def test_a_candidates_copy_may_be_named_as_a_report_and_written_again(run: Run, out: Path) -> None:
    target = out.parent / "for alice" / "report.json"
    for _ in range(2):
        assert run("report", out / "alice", "--audience", "candidate", "-f", "json", "-o", target).code == 0
    refused(run("report", target.parent), "candidate's copy")


def test_an_export_keeps_points_that_were_not_imported(run: Run, out: Path) -> None:
    sheet = filled(out, {"alice/toy/mask": ("1", "half right")})
    before = sheet.read_bytes()
    refused(run("review", out, "--export", sheet), "never imported")
    assert sheet.read_bytes() == before
    run("review", out, "--import", sheet, "--reviewer", "Bo")
    assert run("review", out, "--export", sheet).code == 0
    notes = out.parent / "notes.csv"
    notes.write_text("my notes", "utf-8")
    refused(run("review", out, "--export", notes), "exists")


def test_all_rows_or_none(run: Run, out: Path) -> None:
    sheet = filled(out, {"alice/toy/mask": ("1", "fine"), "bob/toy/mask": ("99", "too much")})
    refused(run("review", out, "--import", sheet, "--reviewer", "Bo"), "row ", "99 is not within 0 and 3.33", "nothing")
    assert not list(out.rglob("review.json"))


@pytest.mark.parametrize(
    "options",
    [
        ["--import", "x.csv"], ["--export", "x.csv", "--reviewer", "Bo"],
        ["--export", "x.csv", "--import", "y.csv", "--reviewer", "Bo"],
    ],
)  # fmt: skip
def test_review_wants_one_direction(run: Run, out: Path, options: list[str]) -> None:
    refused(run("review", out, *options), "--export FILE.csv, or --import FILE.csv --reviewer NAME")


@pytest.mark.parametrize("option", [["--port", "8000"], ["--open"]])
@pytest.mark.parametrize("way", ["--export", "--import"])
def test_a_table_has_no_port(run: Run, out: Path, way: str, option: list[str]) -> None:
    refused(run("review", out, way, "x.csv", *option), "are for the page")


def test_the_page_is_refused_before_it_is_served_where_nothing_can_be_reviewed(run: Run, out: Path) -> None:
    refused(run("review", out.parent), "no report in")
    refused(run("review", out, "--reviewer", " "), "reviewer's name")
    (out / "bob" / "review.json").write_text("{}", "utf-8")
    refused(run("review", out), "bob/review.json is not a review")


@pytest.mark.parametrize("package", ["flask", "waitress"])
def test_without_its_packages_the_page_says_what_to_install(
    run: Run, out: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    for name in [name for name in sys.modules if name.startswith("grader.review.web.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.server", None)
    refused(run("review", out), package, "extra `review`", "ml-interview-grader[review]", "--export FILE.csv")


def test_what_is_not_there_is_said(run: Run, out: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    sheet = tmp_path / "t.csv"
    refused(run("report", tmp_path / "nobody"), "cannot read the report", "nobody")
    refused(run("report", tmp_path / "empty"), "no report in")
    refused(run("report", out), "holds 2 reports", "alice")
    refused(run("review", tmp_path / "empty", "--export", sheet), "no report in")
    refused(run("review", out, "--import", tmp_path / "no.csv", "--reviewer", "Bo"), "no.csv")
    refused(run("review", out, "--import", sheet, "--reviewer", " "), "reviewer's name")
    assert run("report", out / "alice", "--format", "pdf").code == ExitCode.USAGE


def test_a_broken_report_or_review_names_its_file(run: Run, out: Path) -> None:
    (out / "bob" / "review.json").write_text("{}", "utf-8")
    refused(run("report", out / "bob"), "bob/review.json is not a review")
    refused(run("review", out, "--export", out.parent / "t.csv"), "bob/review.json is not a review")
    (out / "bob" / "report.json").write_text("{}", "utf-8")
    refused(run("report", out / "bob"), "bob/report.json: not a report")


def test_two_results_of_one_submission_are_refused(run: Run, out: Path) -> None:
    (out / "copy").mkdir()
    (out / "copy" / "report.json").write_bytes((out / "bob" / "report.json").read_bytes())
    refused(run("review", out, "--export", out.parent / "t.csv"), "are both of bob")


def test_a_submission_that_was_handed_in_again_keeps_its_history_and_starts_anew(run: Run, out: Path) -> None:
    sheet = filled(out, {"alice/toy/mask": ("1", "half right")})
    run("review", out, "--import", sheet, "--reviewer", "Bo")
    store(out, "alice", sha256="ef" * 32)
    text = run("report", out / "alice").out
    assert "human points not counted: toy/mask: given for another version of the submission" in text
    assert "reviewed:" not in text
    refused(run("review", out, "--import", sheet, "--reviewer", "Bo"), "handed in something else")
    assert len(entries(out / "alice" / "report.json")) == 1


def test_imports_at_once_lose_nothing(run: Run, out: Path) -> None:
    names = ("why", "how")
    sheets = [filled(out, {f"alice/written/q01/{name}": ("1", f"seen {name}")}, f"{name}.csv") for name in names]
    commands = [
        [sys.executable, "-m", "grader.cli", "review", str(out), "--import", str(sheet), "--reviewer", "Bo"]
        for sheet in sheets
    ]
    workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert set(given(out / "alice" / "report.json")) == {"written/q01/why", "written/q01/how"}


def test_every_format_of_the_table_writes_both_audiences(run: Run, out: Path) -> None:
    for name in WRITERS:
        for audience in ("interviewer", "candidate"):
            assert run("report", out / "alice", "--format", name, "--audience", audience).out.endswith("\n"), name
    with pytest.raises(UsageError, match="one of: text, json"):
        writer("pdf")
