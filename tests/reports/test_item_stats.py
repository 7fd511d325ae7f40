"""Item statistics: the figures of textbooks, human points counted, and no claim where there are too few people."""

from __future__ import annotations

import csv
import io
import json
import statistics
from pathlib import Path

import pytest

from grader.model import Json, Outcome
from grader.reports.as_json import to_json
from grader.reports.item_stats import COLUMNS, Item, as_csv, as_json, as_text, items_of, remark
from tests.reports.shown import decided, missing, named, ungraded
from tests.review.samples import of_check, override, record, store
from tests.samples import check, report
from tests.typed import Typed


def person(name: str, contract: float, learning: float) -> Json:
    """A submission with those shares of two criteria of 40 and 60 points."""
    checks = [
        check("shape", points=40.0, outcome=Outcome.FAILED, fraction=contract),
        check("accuracy", "learning", 60.0, outcome=Outcome.FAILED, fraction=learning),
    ]
    return named(to_json(report(*checks)), name)


PEOPLE = [person(f"p{n}", contract, learning) for n, (contract, learning) in enumerate(
    [(1, 1), (1, 0.5), (0.5, 0.5), (0.25, 0), (0, 0.25), (1, 0.75)]
)]  # fmt: skip


def item(name: str, level: str = "criterion") -> Item:
    return next(one for one in items_of(PEOPLE) if (one.level, one.id) == (level, name))


def test_difficulty_is_the_mean_share_and_reached_counts_people() -> None:
    contract = item("contract")
    assert contract.difficulty == pytest.approx(3.75 / 6)
    assert contract.reached() == (3, 2, 1)
    assert contract.spread == pytest.approx(statistics.pstdev([1, 1, 0.5, 0.25, 0, 1]))
    assert item("accuracy", "check").reached() == (1, 4, 1)


def test_discrimination_is_the_correlation_with_everything_else() -> None:
    expected = statistics.correlation([1, 1, 0.5, 0.25, 0, 1], [60, 30, 30, 0, 15, 45])
    assert item("contract").discrimination == pytest.approx(expected)
    assert item("shape", "check").discrimination == pytest.approx(expected)
    assert item("toy", "task").discrimination is None  # one task: there is no rest


def test_whom_we_did_not_grade_and_who_handed_nothing_in_are_not_counted() -> None:
    everybody = [*PEOPLE, named(ungraded(), "u"), named(missing(), "m")]
    assert [one.shares for one in items_of(everybody)] == [one.shares for one in items_of(PEOPLE)]
    assert items_of([]) == []


def test_points_of_a_person_count(tmp_path: Path) -> None:
    changed = decided(tmp_path, override(of_check("mask"), 3.33))
    before = {one.id: one.shares for one in items_of([record()])}
    after = {one.id: one.shares for one in items_of([changed])}
    assert (before["contract"], after["contract"]) == ((0.666,), (1.0,))
    assert (before["mask"], after["mask"]) == ((0.0,), (1.0,))


def test_remarks_name_what_stands_out_and_nothing_of_few_people() -> None:
    def made(shares: list[float], rests: list[float]) -> str:
        return remark(
            Item(level="check", task="t", id="i", title="", possible=1, shares=tuple(shares), rests=tuple(rests))
        )

    assert made([1.0] * 12, [*range(12)]) == "everybody has it"
    assert made([0.0] * 12, [*range(12)]) == "nobody has it"
    assert made([1.0, 0.0, 1.0], [1, 2, 3]) == "too few people to tell"
    half = [0.0] * 6 + [1.0] * 6
    assert made(half, [*range(12)]) == ""
    assert made(half, [*range(12, 0, -1)]) == "points the wrong way"
    assert made(half, [0, 5, 0, 5, 0, 5, 5, 0, 5, 0, 5, 0]) == "hardly tells people apart"


def test_the_table_and_the_document_have_the_same_figures() -> None:
    items = items_of(PEOPLE)
    rows = list(csv.DictReader(io.StringIO(as_csv(items), newline="")))
    document = json.loads(as_json(items, len(PEOPLE)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["item"] for row in rows] == [row["item"] for row in document["items"]]
    contract = next(row for row in document["items"] if row["item"] == "contract")
    assert (contract["full"], contract["partial"], contract["none"], contract["people"]) == (3, 2, 1, 6)
    assert contract["difficulty"] == 0.625
    assert rows[0]["discrimination"] == ""


def test_the_hardest_item_comes_first() -> None:
    lines = as_text(items_of(PEOPLE), 6, "criterion").splitlines()
    assert lines[1].startswith("  toy / learning")
    assert "1 full, 4 partial, 1 none" in lines[1]


def test_the_command_prints_a_level_and_writes_both_formats(typed: Typed, tmp_path: Path) -> None:
    for name in ("alice", "bob", "cy"):
        store(tmp_path / "out", name)
    done = typed("stats", tmp_path / "out", "--level", "check", "-o", tmp_path / "items.csv")
    assert done.out.startswith("3 submissions: ")
    assert "toy / mask" in done.out
    assert (tmp_path / "items.csv").read_bytes().startswith(b"\xef\xbb\xbflevel,task,")
    typed("stats", tmp_path / "out", "-o", tmp_path / "items.json")
    assert json.loads((tmp_path / "items.json").read_text("utf-8"))["people"] == 3
    typed("stats", tmp_path / "out", "-o", tmp_path / "items.txt").refused("neither .csv nor .json")
    typed("stats", tmp_path / "out", "-o", tmp_path / "out" / "alice" / "report.json").refused("a record of ours")
