"""Gradescope's results.json: its documented fields, all text plain, nothing hidden shown, and no zero for our fault."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from grader.model import Json
from grader.reports.as_gradescope import document, files
from grader.reports.audience import for_candidate
from grader.reports.look import Look, Stored
from grader.text import sanitize_text
from tests.reports.shown import EN, HOSTILE, RECORDS, ZH, decided, hostile, missing, named, ungraded
from tests.review.samples import of_check, of_point, override, record
from tests.samples import RUN

_FORMAT = {"const": "text"}
_VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["output", "output_format", "test_output_format", "test_name_format", "visibility", "tests"],
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "integer"},
        "output": {"type": "string"},
        "output_format": _FORMAT,
        "test_output_format": _FORMAT,
        "test_name_format": _FORMAT,
        "visibility": _VISIBILITY,
        "stdout_visibility": _VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "number", "output", "visibility", "tags"],
                "dependentRequired": {"score": ["max_score"], "max_score": ["score"]},
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "number": {"type": "string"},
                    "output": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": _VISIBILITY,
                },
            },
        },
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": "number"},
                    "order": {"enum": ["asc", "desc"]},
                },
            },
        },
    },
}


def results(stored: Json, look: Look = EN) -> Json:
    parsed: Json = json.loads(document(stored, look))
    return parsed


@pytest.mark.parametrize("look", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_the_documented_fields(name: str, audience: str, look: Look) -> None:
    stored = RECORDS[name]()
    jsonschema.validate(results(for_candidate(stored) if audience == "candidate" else stored, look), SCHEMA)


def test_scores_add_up_to_the_total() -> None:
    shown = results(record())
    assert sum(row["score"] for row in shown["tests"]) == pytest.approx(shown["score"])
    assert sum(row["max_score"] for row in shown["tests"]) == pytest.approx(18, abs=0.02)


def test_students_see_no_hidden_check_of_an_interviewers_file() -> None:
    stored = RECORDS["everything"]()
    shown = results(stored)
    visible = [row for row in shown["tests"] if row["visibility"] == "visible"]
    assert {row["name"] for row in visible} == {"Toy: title of shape", "Toy: q01"}
    seen = json.dumps([visible, shown["output"], shown["extra_data"]])
    for secret in ("accuracy", "mask", str(RUN.seed), "hidden row 3"):
        assert secret not in seen
    assert "the mask convention is inverted" in json.dumps(shown)
    assert shown["stdout_visibility"] == "hidden"


def test_a_candidates_copy_is_all_visible_and_has_nothing_hidden() -> None:
    shown = results(for_candidate(RECORDS["everything"]()))
    assert {row["visibility"] for row in shown["tests"]} == {"visible"}
    for secret in ("accuracy 0.41", "title of accuracy", "hidden row 3", "What does True mean", str(RUN.seed)):
        assert secret not in json.dumps(shown)


def test_what_we_failed_to_grade_has_no_score() -> None:
    shown = results(ungraded(), Look(leaderboard=True))
    assert "score" not in shown
    assert "leaderboard" not in shown
    assert all("score" not in row and "status" not in row for row in shown["tests"])
    assert "the engine is gone" not in json.dumps(shown)
    assert "no verdict" in shown["output"]


def test_nothing_handed_in_is_a_zero() -> None:
    shown = results(missing())
    assert shown["score"] == 0
    assert [(row["score"], row["max_score"], row["status"]) for row in shown["tests"]] == [(0, 100, "failed")]


def test_points_of_a_person_count(tmp_path: Path) -> None:
    changed = decided(tmp_path, override(of_check("mask"), 3.33), override(of_point("q01", "how"), 1.5))
    shown = results(changed)
    by_name = {row["name"]: row for row in shown["tests"]}
    assert (by_name["Toy: title of mask"]["score"], by_name["Toy: title of mask"]["status"]) == (3.33, "passed")
    assert by_name["Written answers: q01"]["score"] == 3.5
    assert shown["score"] == changed["reviewed_score"]["earned"]


def test_a_check_keeps_status_output_and_criterion() -> None:
    stored = results(RECORDS["everything"]())["tests"]
    failed = next(row for row in stored if row["name"] == "Toy: title of shape")
    assert (failed["status"], failed["score"], failed["max_score"]) == ("failed", 20.0, 40.0)
    assert failed["output"] == "shape (2,) not (3,)\nhint: hint of shape"
    assert failed["tags"] == ["toy", "contract"]


def test_the_leaderboard_is_there_only_where_asked_for() -> None:
    assert "leaderboard" not in results(record())
    board = results(record(), Look(leaderboard=True))["leaderboard"]
    assert board == [{"name": "Score", "value": 53.7, "order": "desc"}]


def test_hostile_text_is_declared_plain() -> None:
    shown = results(hostile())
    assert any(sanitize_text(HOSTILE)[:300] in row["output"] for row in shown["tests"])
    assert "\x1b" not in document(hostile(), EN)
    assert all("output_format" not in row and "name_format" not in row for row in shown["tests"])


def test_many_submissions_have_a_file_each() -> None:
    stored = [Stored(record=named(record(), name), folder=Path("out") / name) for name in ("ada", "bo")]
    assert list(files(stored, EN)) == ["ada/results.json", "bo/results.json"]
