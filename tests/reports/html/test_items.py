"""Difficulty and discrimination of criteria, against figures worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.model import Json
from grader.reports.correlation import correlation
from grader.reports.html.items import ENOUGH, items_of
from tests.reports.html.samples import batch, full


def test_correlation_is_pearsons() -> None:
    assert correlation([(1, 2), (2, 4), (3, 5), (4, 4), (5, 5)], least=ENOUGH) == pytest.approx(0.7745966692)
    assert correlation([(x, -x) for x in range(5)], least=ENOUGH) == -1.0


@pytest.mark.parametrize("pairs", [[], [(0, 0), (1, 1), (2, 2), (3, 3)], [(1, x) for x in range(9)]])
def test_without_people_or_variation_there_is_no_correlation(pairs: list[tuple[float, float]]) -> None:
    assert correlation(pairs, least=ENOUGH) is None


def _records(folder: Path, count: int) -> list[Json]:
    return [result.view for result in batch(folder, count)]


def test_a_criterion_is_correlated_with_the_rest_of_its_task(tmp_path: Path) -> None:
    contract, learning = items_of("toy", _records(tmp_path, 11))
    assert contract.id == "contract"
    assert contract.mean == pytest.approx(0.25, abs=0.01)
    assert contract.discrimination == pytest.approx(-1, abs=0.05)
    assert learning.mean == pytest.approx(4.9 / 11)
    assert (contract.band, learning.full, learning.some, learning.zero) == ("reversed", 1, 6, 4)


def test_points_that_people_gave_count(tmp_path: Path) -> None:
    records = _records(tmp_path, 3)
    records[2]["tasks"][0]["criteria"][1]["reviewed_score"] = {"earned": 60.0, "possible": 60.0, "percent": 100.0}
    assert items_of("toy", records)[1].shares == (1.0, 0.5, 1.0)


def test_questions_that_nobody_answered_and_tasks_that_were_not_handed_in_say_nothing() -> None:
    record, missing = full(), full()
    missing["tasks"][1]["status"] = "missing"
    (item,) = items_of("written", [record, missing])
    assert (item.id, item.shares, item.discrimination, item.band) == ("q01", (0.5, None), None, "")
