"""Human points stand beside the machine's, add up like them, and count only for what they were given for."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from grader.model import Json
from grader.reports.as_json import from_json
from grader.reports.as_text import render
from grader.reports.audience import for_candidate
from grader.reports.reviewed import Place, places, reviewed
from grader.review.record import _row
from grader.schemas import violation
from tests.review.samples import of_check, of_point, override, record

ADDED = {"human", "reviewed_score", "review"}


def review_of(*overrides: Any) -> Json:
    return {"schema_version": 1, "submission": "alice", "overrides": [_row(each) for each in overrides]}


def without_additions(value: Any) -> Any:
    """A record without the fields that a review adds."""
    if isinstance(value, dict):
        return {name: without_additions(item) for name, item in value.items() if name not in ADDED}
    return [without_additions(item) for item in value] if isinstance(value, list) else value


def view(*overrides: Any) -> Json:
    return reviewed(record(), review_of(*overrides))


def human(shown: Json, place: Place) -> Json | None:
    row: Json | None = places(shown)[place]["human"]
    return row


def test_the_machines_fields_stay_as_they_are() -> None:
    before = record()
    shown = reviewed(before, review_of(override(of_point("q01", "how"), 2.0), override(of_check("mask"), 1.0)))
    assert before == record()
    assert without_additions(shown) == before
    assert violation(shown, "report") == ""


def test_points_add_up_to_question_criterion_task_and_report() -> None:
    shown = view(override(of_point("q01", "how"), 1.5), override(of_point("q02", "why"), 0.0))
    written = shown["tasks"][1]
    assert [row["reviewed_score"]["earned"] for row in written["questions"]] == [3.5, 0.0]
    assert [row["reviewed_score"]["earned"] for row in written["criteria"]] == [3.5, 0.0]
    assert written["reviewed_score"] == {"earned": 3.5, "possible": 8.0, "percent": 43.8}
    assert shown["reviewed_score"]["earned"] == 3.5 + shown["tasks"][0]["score"]["earned"]
    assert (written["score"]["earned"], shown["review"]["in_effect"]) == (3.0, 2)


def test_a_place_has_points_reason_name_and_time_and_the_others_have_none() -> None:
    shown = view(override(of_point("q01", "how"), 1.5))
    assert human(shown, of_point("q01", "how")) == {
        "points": 1.5,
        "reason": "said it aloud",
        "reviewer": "Bo Li",
        "at": "2025-01-31T12:00:00+00:00",
    }
    assert human(shown, of_point("q01", "why")) is None
    assert human(shown, of_check("mask")) is None


def test_three_checks_of_a_third_are_the_whole_criterion() -> None:
    full = view(override(of_check("mask"), 3.33))["tasks"][0]
    assert full["criteria"][0]["earned"] == 6.66
    assert full["criteria"][0]["reviewed_score"]["earned"] == full["reviewed_score"]["earned"] == 10.0
    less = view(override(of_check("shape"), 1.0))["tasks"][0]
    assert less["reviewed_score"]["earned"] == 4.33


def test_the_last_entry_for_a_place_counts() -> None:
    shown = view(override(of_point("q01", "how"), 2.0), override(of_point("q01", "how"), 0.5, reviewer="Ana"))
    row = human(shown, of_point("q01", "how"))
    assert row is not None
    assert (row["points"], row["reviewer"]) == (0.5, "Ana")
    assert shown["review"]["in_effect"] == 1


def test_agreement_is_shown_and_changes_no_score() -> None:
    shown = view(override(of_point("q01", "why"), 2.0))
    assert shown["reviewed_score"] == shown["score"]
    assert shown["review"]["in_effect"] == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"submission_sha256": "00" * 32}, "another version of the submission"),
        ({"possible": 5.0}, "worth 5 points; now it is 2"),
        ({"points": 2.5}, "2.5 of 2 points"),
        ({"place": of_point("q01", "gone")}, "no such place"),
        ({"place": of_point("q99", "how")}, "no such place"),
        ({"place": Place(task="none", item="how")}, "no such place"),
    ],
)
def test_points_for_something_else_do_not_count_and_are_listed(changed: Json, words: str) -> None:
    shown = view(replace(override(of_point("q01", "how"), 2.0), **changed))
    assert shown["reviewed_score"] == shown["score"]
    assert shown["review"]["in_effect"] == 0
    (line,) = shown["review"]["set_aside"]
    assert words in line
    assert line in " ".join(render(shown, width=1000).split())


def test_an_ungraded_task_takes_no_points() -> None:
    broken = record()
    broken["tasks"][0]["status"] = "ungraded"
    shown = reviewed(broken, review_of(override(of_check("mask"), 3.33)))
    assert shown["tasks"][0]["reviewed_score"] == shown["tasks"][0]["score"]
    assert len(shown["review"]["set_aside"]) == 1


def test_the_text_does_not_list_a_whole_review_that_was_set_aside() -> None:
    shown = view(*(override(of_point("q01", f"gone{index}"), 1.0) for index in range(8)))
    text = render(shown)
    assert text.count("human points not counted") == 5
    assert "and 3 more" in text
    assert "另有 3 处" in render(shown, "zh")


def test_merging_twice_changes_nothing() -> None:
    review = review_of(override(of_point("q01", "how"), 1.5))
    once = reviewed(record(), review)
    assert reviewed(once, review) == once


def test_a_merged_record_loads_back_as_the_machines_report() -> None:
    assert from_json(view(override(of_point("q01", "how"), 1.5))) == from_json(record())


def test_a_reason_cannot_carry_an_escape() -> None:
    shown = view(override(of_point("q01", "how"), 1.5, reason="\x1b]52;c;x\x07fine\u202e"))
    row = human(shown, of_point("q01", "how"))
    assert row is not None
    assert row["reason"] == "fine"


def test_the_text_shows_both_scores() -> None:
    text = render(view(override(of_point("q01", "how"), 1.5), override(of_check("dtype"), 0.0)))
    assert "reviewed: 7.83 / 18" in text
    assert "Written answers  3 / 8  reviewed: 4.5 / 8" in text
    assert "q01  2 / 4  (English)  reviewed: 3.5 / 4" in text
    lines = [line.strip() for line in text.splitlines()]
    assert (
        lines[lines.index("not met    0.00 / 2.00  title of how") + 1]
        == "human: 1.5 / 2  said it aloud (Bo Li, 2025-01-31)"
    )
    assert "(dtype): passed  3.33 / 3.33\n      human: 0 / 3.33" in text  # a passed check that a person took away


def test_the_text_shows_both_scores_in_chinese() -> None:
    text = render(view(override(of_point("q01", "how"), 1.5)), "zh")
    assert "复核后: 11.16 / 18" in text
    assert "人工: 1.5 / 2" in text


def test_a_reviewed_question_is_no_longer_said_to_need_it() -> None:
    both = [override(of_point("q02", name), 1.0) for name in ("why", "cost")]
    assert "needs review: key words without statements" in render(view(both[0]))
    assert "needs review (1): q02" in render(view(both[0]))
    assert "reviewed: key words without statements" in render(view(*both))
    assert "needs review" not in render(view(*both))


def test_a_report_without_a_review_reads_as_before() -> None:
    assert "reviewed" not in render(record())
    assert "human" not in json.dumps(for_candidate(record()))


def test_a_candidate_sees_the_points_and_nothing_of_the_reviewer() -> None:
    secret = {"reason": "canary-reason", "reviewer": "canary-name", "at": "2031-01-01T00:00:00Z"}
    shown = view(
        override(of_point("q01", "how"), 1.5, **secret),
        override(of_check("mask"), 1.25, **secret),
        override(of_check("shape"), 1.75, **secret),
        override(of_point("q01", "why"), 1.0, **secret | {"submission_sha256": "11" * 32}),
    )
    copy = for_candidate(shown)
    text = json.dumps(copy) + render(copy) + render(copy, "zh")
    for word in ("canary", "2031", "another version", '"mask"', "(mask)", "title of mask"):
        assert word not in text
    assert violation(copy, "report") == ""
    assert for_candidate(copy) == copy
    assert copy["tasks"][1]["questions"][0]["points"][1]["human"]["points"] == 1.5
    assert [row["human"] and row["human"]["points"] for row in copy["tasks"][0]["checks"]] == [1.75, None, 1.25]
    assert copy["reviewed_score"] == shown["reviewed_score"]
    assert copy["tasks"][1]["reviewed_score"] == shown["tasks"][1]["reviewed_score"]
    assert "human: 1.5 / 2" in render(copy)
