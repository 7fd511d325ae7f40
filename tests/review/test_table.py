"""A table goes to a spreadsheet and comes back: nothing in it is a formula, and all of it counts or none."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.reports.reviewed import Place
from grader.review.decisions import Decisions, checked_reviewer, decide
from grader.review.record import add_overrides
from grader.review.results import find_results
from grader.review.table import COLUMNS, defused, in_csv, read_table, restored, to_rows
from tests.review import samples
from tests.review.samples import AT, csv_of, entries, store, table

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "  =1",
    "'=1",
    "''@x",
    "＝1+1",
    "－x",
    "a; =cmd|' /C calc'!A0",
    ";'+x",
    "\t=1",
]


def imported(out: Path, text: str | bytes, reviewer: str = "Bo Li") -> Decisions:
    """Imports a table as the command does."""
    path = out.parent / "table.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    decisions = decide(read_table(path), find_results(out), reviewer, AT)
    add_overrides(decisions.additions)
    return decisions


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Results of two submissions."""
    for name in ("alice", "bob"):
        store(tmp_path / "out", name)
    return tmp_path / "out"


def test_rows_that_need_a_review_come_first(out: Path) -> None:
    rows = to_rows(find_results(out))
    needed = [(row["submission"], row["question"], row["point"]) for row in rows if row["review"] == "needed"]
    assert needed == [("alice", "q02", "why"), ("alice", "q02", "cost"), ("bob", "q02", "why"), ("bob", "q02", "cost")]
    assert all(row["review"] == "needed" for row in rows[:4])
    assert len(rows) == 2 * (4 + 3)


def test_a_row_says_what_a_reviewer_needs(out: Path) -> None:
    rows = to_rows(find_results(out))
    assert rows[0] == {
        "submission": "alice", "task": "written", "question": "q02", "point": "why", "title": "title of why",
        "review": "needed", "verdict": "partial", "earned": "1", "possible": "2", "quote": "clip the norm",
        "flags": "stuffed", "llm_verdict": "unmet", "human_points": "", "reason": "", "reviewer": "",
        "version": "sha256:cdcdcdcdcdcd",
    }  # fmt: skip
    (mask,) = [row for row in rows if row["submission"] == "alice" and row["point"] == "mask"]
    assert (mask["question"], mask["verdict"], mask["quote"]) == ("", "failed", "differs by 0.5")
    assert to_rows(find_results(out), "zh")[0]["title"] == "why的标题"


def test_human_points_go_out_and_come_back(out: Path) -> None:
    fill = {"alice/written/q02/why": ("2", 'said it, "quoted"; aloud'), "bob/toy/mask": ("1,5", "-half right")}
    done = imported(out, csv_of(table(out, fill)))
    assert done.added == 2
    (row,) = entries(out / "alice" / "report.json")
    assert row == {
        "task": "written", "question": "q02", "point": "why", "points": 2.0, "possible": 2.0, "machine": 1.0,
        "reason": 'said it, "quoted"; aloud', "reviewer": "Bo Li", "at": AT, "submission_sha256": samples.SHA256,
    }  # fmt: skip
    (row,) = entries(out / "bob" / "report.json", "bob")
    assert (row["check"], row["points"], row["reason"]) == ("mask", 1.5, "-half right")
    exported = to_rows(find_results(out))
    (again,) = [row for row in exported if row["submission"] == "alice" and row["human_points"]]
    assert (again["review"], again["human_points"], again["reviewer"]) == ("done", "2", "Bo Li")
    second = imported(out, in_csv(exported), "Ana")
    assert (second.added, second.unchanged) == (0, 2)
    assert len(entries(out / "alice" / "report.json")) == 1


def test_an_old_table_does_not_undo_what_came_after_it(out: Path) -> None:
    name = "alice/written/q02/why"
    imported(out, csv_of(table(out, {name: ("1", "first")})))
    old = csv_of(to_rows(find_results(out)))
    imported(out, csv_of(table(out, {name: ("2", "second")})), "Ana")
    done = imported(out, old)
    assert (done.added, done.overtaken) == (0, 1)
    assert samples.given(out / "alice" / "report.json") == {"written/q02/why": 2.0}
    imported(out, csv_of(table(out, {name: ("1", "first was right")})))
    assert [row["points"] for row in entries(out / "alice" / "report.json")] == [1.0, 2.0, 1.0]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_in_any_spreadsheet(tmp_path: Path, text: str) -> None:
    store(tmp_path / "out", quote=text)
    written = in_csv(to_rows(find_results(tmp_path / "out")))
    for delimiter in ",;\t":  # as spreadsheets of different countries cut it
        for line in csv.reader(io.StringIO(written, newline=""), delimiter=delimiter):
            assert not [cell for cell in line if cell.strip()[:1] in tuple("=+-@＝＋－＠")], line


@given(st.text("'=+-@;,＝\t ax1", max_size=12))
@example("';=")
def test_defusing_is_undone_exactly(text: str) -> None:
    assert restored(defused(text)) == text
    assert defused(text).strip()[:1] not in tuple("=+-@＝")


@pytest.mark.parametrize("reason", [text for text in HOSTILE if "\t" not in text and text == text.strip()])
def test_a_reason_like_a_formula_goes_out_and_comes_back(out: Path, reason: str) -> None:
    rows = table(out, {"alice/written/q02/why": ("2", reason)})
    imported(out, in_csv(rows))
    assert entries(out / "alice" / "report.json")[0]["reason"] == reason
    assert imported(out, in_csv(to_rows(find_results(out)))).unchanged == 1


def test_few_columns_in_any_order_are_enough(out: Path) -> None:
    text = "Reason,human_points,point,question,submission,my own\nit is there,2,how,q01,alice,x\n"
    imported(out, text)
    assert samples.given(out / "alice" / "report.json") == {"written/q01/how": 2.0}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_save_is_read(out: Path, encoding: str, delimiter: str, newline: str) -> None:
    header = delimiter.join(("submission", "question", "point", "human_points", "reason"))
    row = delimiter.join(("alice", "q01", "how", "１.５", "口头答对了"))
    imported(out, (header + newline + row + newline + delimiter * 4 + newline).encode(encoding))
    (entry,) = entries(out / "alice" / "report.json")
    assert (entry["points"], entry["reason"]) == (1.5, "口头答对了")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"submission": "carol"}, "no submission 'carol'; there are alice, bob"),
        ({"submission": "\x1b[31mx"}, "no submission 'x'"),
        ({"task": "gan"}, "no graded task 'gan'; there are toy, written"),
        ({"question": "q31"}, "no question 'q31'; there are q01, q02"),
        ({"point": "whom"}, "no point 'whom' of question q02; there are why, cost"),
        ({"human_points": "2.5"}, "2.5 is not within 0 and 2"),
        ({"human_points": "-1"}, "-1 is not within 0 and 2"),
        ({"human_points": "two"}, "'two' is not a number"),
        ({"human_points": "nan"}, "'nan' is not a number"),
        ({"human_points": "1e400"}, "'1e400' is not a number"),
        ({"human_points": "1_0"}, "'1_0' is not a number"),
        ({"human_points": "1.000,5"}, "'1.000,5' is not a number"),
        ({"reason": ""}, "without a reason"),
        ({"reason": " \u200b"}, "without a reason"),
        ({"human_points": ""}, "a reason without human_points"),
        ({"reason": "x" * 2001}, "2001 characters"),
        ({"version": "sha256:000000000000"}, "handed in something else"),
        ({"possible": "3"}, "was worth 3 points in this table and is 2 now"),
    ],
)
def test_one_wrong_row_and_nothing_is_imported(out: Path, changed: dict[str, str], words: str) -> None:
    rows = table(out, {"alice/written/q02/cost": ("1", "fine"), "bob/written/q02/why": ("2", "fine")})
    row = next(row for row in rows if row["submission"] == "bob" and row["human_points"])
    row |= changed
    with pytest.raises(UsageError) as caught:
        imported(out, csv_of(rows))
    assert words in str(caught.value)
    assert str(caught.value).startswith("row 4: ")
    assert "nothing was imported" in str(caught.value)
    assert not list(out.glob("*/review.json"))


def test_the_number_of_other_wrong_rows_is_said(out: Path) -> None:
    fill = {f"{name}/written/q01/how": ("9", "too much") for name in ("alice", "bob")}
    with pytest.raises(UsageError, match=r"row \d+: .*1 more are wrong"):
        imported(out, csv_of(table(out, fill)))


def test_two_rows_for_one_place_are_refused(out: Path) -> None:
    rows = table(out, {"alice/written/q02/why": ("1", "fine")})
    with pytest.raises(UsageError, match="row 3: written/q02/why of alice is in row 2 already"):
        imported(out, csv_of([rows[0], rows[0] | {"human_points": "2"}]))


def test_an_unquoted_comma_is_noticed(out: Path) -> None:
    with pytest.raises(UsageError, match="row 2: it has more cells"):
        imported(out, "submission,question,point,human_points,reason\nalice,q01,how,2,well, yes\n")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "has no column 'submission'"),
        (b"\xff\xfe\x00", "not in UTF-8"),
        ("submission,question,point,human_points,reason\n中".encode("gb18030"), 'save it as "CSV UTF-8"'),
        (b'submission,question,point,human_points,reason\n"a"b,c', "not a table"),
        (b"submission,question,point,human_points,reason,reason\n", "two columns 'reason'"),
        (b"PK\x03\x04" + bytes(100), "no column"),
        (b"submission,question,point,human_points,reason\n" + b"x" * 200_000, "not a table"),
    ],
)
def test_what_is_no_table_is_refused(out: Path, data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        imported(out, data)


def test_a_point_of_several_tasks_wants_the_task(out: Path) -> None:
    (alice, _) = find_results(out)
    other = {Place(task="more", question="q01", item="how"): {"earned": 0.0, "possible": 2.0}}
    path = out.parent / "t.csv"
    path.write_text("submission,question,point,human_points,reason\nalice,q01,how,2,yes\n", "utf-8")
    with pytest.raises(UsageError, match="several tasks have a point 'how'; fill in the column task"):
        decide(read_table(path), [replace(alice, places={**alice.places, **other})], "Bo", AT)


@given(st.lists(st.lists(st.text(max_size=8), max_size=len(COLUMNS)), max_size=5), st.sampled_from(",;\t"))
def test_any_cells_are_imported_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], delimiter: str
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows([COLUMNS, *rows])
    (folder / "t.csv").write_text(text.getvalue(), "utf-8", errors="surrogatepass", newline="")
    store(folder / "out")
    try:
        decide(read_table(folder / "t.csv"), find_results(folder / "out"), "Bo", AT)
    except UsageError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "x" * 101])
def test_a_reviewer_has_a_name(name: str) -> None:
    with pytest.raises(UsageError, match="reviewer's name"):
        checked_reviewer(name)
    assert checked_reviewer("  Bo\nLi ") == "Bo Li"
