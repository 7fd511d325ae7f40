"""`grader report --format html`: pages go where they are looked for, and never where they do not belong."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli import cli
from grader.errors import UsageError
from grader.reports.as_json import dumps
from tests.reports.html.samples import batch


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder of two results as grading leaves it."""
    folder = tmp_path / "out"
    for each in batch(folder, 2):
        each.path.write_text(dumps(each.view), encoding="utf-8")
    return folder


def _report(*words: str | Path) -> Result:
    return CliRunner().invoke(cli, ["report", *map(str, words), "--format", "html"])


def test_a_folder_of_results_gets_an_index_and_pages_beside_the_reports(out: Path) -> None:
    done = _report(out)
    assert (done.exit_code, done.output) == (0, f"open {out / 'index.html'}\n")
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.html")) == [
        "c000/index.html", "c001/index.html", "index.html",
    ]  # fmt: skip
    before = (out / "index.html").read_bytes()
    assert _report(out).exit_code == 0, "pages can be written again"
    assert (out / "index.html").read_bytes() == before


def test_one_submission_gets_its_page_alone(out: Path) -> None:
    assert _report(out / "c000").output == f"open {out / 'c000' / 'index.html'}\n"
    assert not (out / "index.html").exists()
    (out / "c000" / "report.json").rename(out / "c000" / "ada.json")
    assert _report(out / "c000" / "ada.json").output == f"open {out / 'c000' / 'ada.html'}\n"


def test_pages_in_chinese_go_to_a_folder_of_their_own(out: Path, tmp_path: Path) -> None:
    assert _report(out, "--lang", "zh", "-o", tmp_path / "zh").exit_code == 0
    assert "评分结果" in (tmp_path / "zh" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("place", ["", "out", "out/c000"])
def test_candidates_pages_do_not_go_where_the_results_lie(place: str, out: Path) -> None:
    output = ["-o", str(out.parent / place)] if place else []
    done = _report(out, "--audience", "candidate", *output)
    assert isinstance(done.exception, UsageError)
    assert not list(out.rglob("*.html"))


def test_candidates_pages_in_a_folder_of_their_own(out: Path, tmp_path: Path) -> None:
    done = _report(out, "--audience", "candidate", "-o", tmp_path / "give")
    assert done.exit_code == 0
    assert done.output.startswith("2 pages, each for one candidate alone:")
    assert len(list((tmp_path / "give").rglob("*.html"))) == 2


def test_a_file_in_the_place_of_the_folder_is_not_replaced(out: Path) -> None:
    report = out / "c000" / "report.json"
    before = report.read_bytes()
    assert isinstance(_report(out, "-o", report).exception, UsageError)
    assert report.read_bytes() == before
