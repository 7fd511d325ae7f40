"""JUnit XML: fits the schema, says whose fault each end is, and holds hostile text as text."""

from __future__ import annotations

from pathlib import Path

import junitparser
import pytest
import xmlschema
from defusedxml import ElementTree

from grader.reports.as_junit import document, documents
from grader.reports.audience import for_candidate
from grader.text import sanitize_text
from tests.reports.shown import EN, HOSTILE, RECORDS, ZH, decided, hostile, missing, named, outcomes, rejected, ungraded
from tests.review.samples import of_check, of_point, override, record

SCHEMA = xmlschema.XMLSchema(Path(__file__).resolve().parent.parent / "data" / "junit.xsd")


def cases(text: str) -> dict[str, junitparser.TestCase]:
    parsed = junitparser.JUnitXml.fromstring(text.encode())
    return {case.name: case for suite in parsed for case in suite}


def ends(text: str) -> dict[str, str]:
    """How each case ended: the names of its results."""
    return {name: " ".join(type(end).__name__.lower() for end in case.result) for name, case in cases(text).items()}


@pytest.mark.parametrize("look", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
@pytest.mark.parametrize("name", RECORDS)
def test_every_record_fits_the_schema(name: str, audience: str, look: object) -> None:
    stored = RECORDS[name]()
    text = document(for_candidate(stored) if audience == "candidate" else stored, look)  # type: ignore[arg-type]
    SCHEMA.validate(ElementTree.fromstring(text))


def test_a_fault_of_ours_is_an_error_and_the_candidates_a_failure() -> None:
    assert ends(document(outcomes(), EN)) == {
        "c0": "", "c1": "failure", "c2": "failure", "c3": "failure", "c4": "skipped", "c5": "error",
    }  # fmt: skip
    assert ends(document(ungraded(), EN)) == {"submission": "error"}
    assert ends(document(missing(), EN)) == {"submission": "failure"}
    assert ends(document(rejected(), EN)) == {"submission": "failure"}


def test_a_failure_says_what_happened_where_and_for_how_many_points() -> None:
    (failure,) = cases(document(outcomes(), EN))["c2"].result
    assert (failure.type, failure.message) == ("raised", "title of c2")
    assert failure.text == "ended as raised\ntoy.py:7  ValueError\nhint of c2\n0 of 6 points"
    (failure,) = cases(document(outcomes(), ZH))["c2"].result
    assert failure.message == "c2的标题"


def test_counts_add_up_over_many_submissions_and_names_stay_unique() -> None:
    text = documents([named(record(), name) for name in ("ada", "bo")], EN)
    parsed = junitparser.JUnitXml.fromstring(text.encode())
    assert [suite.name for suite in parsed] == ["ada.toy", "ada.written", "bo.toy", "bo.written"]
    assert (parsed.tests, parsed.failures, parsed.errors) == (10, 2, 0)
    names = [(case.classname, case.name) for suite in parsed for case in suite]
    assert len(set(names)) == len(names) == 10
    for suite in parsed:
        assert suite.tests == len(list(suite))


def test_a_written_question_fails_only_without_points() -> None:
    text = document(record(), EN)
    assert {name: end for name, end in ends(text).items() if name.startswith("q")} == {"q01": "", "q02": ""}
    assert "1 of 4 points (flags: stuffed)" in text


def test_points_of_a_person_decide(tmp_path: Path) -> None:
    changed = decided(
        tmp_path, override(of_check("mask"), 3.33), override(of_check("shape"), 0), override(of_point("q01", "why"), 0)
    )
    assert ends(document(changed, EN)) == {
        "shape": "failure", "dtype": "", "mask": "", "q01": "failure", "q02": "",
    }  # fmt: skip


def test_hostile_text_stays_text() -> None:
    text = document(hostile(), EN)
    root = ElementTree.fromstring(text)
    assert {element.tag for element in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out",
    }  # fmt: skip
    assert "forged" not in {case.get("name") for case in root.iter("testcase")}
    printed = next(root.iter("system-out")).text
    assert printed == sanitize_text(HOSTILE).replace("[[ATTACHMENT", "[ [ATTACHMENT")
    assert "[[ATTACHMENT" not in text


def test_a_candidates_copy_names_no_hidden_check() -> None:
    text = document(for_candidate(record()), EN)
    assert "title of mask" not in text
    assert set(ends(text)) == {"shape", "contract-1", "contract-2", "q01", "q02"}
    assert "wall" not in text
    assert ' time="' not in text
