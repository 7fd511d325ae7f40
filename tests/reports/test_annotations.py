"""Remarks on a candidate's lines: on files that are there, and never a command that we did not write."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.model import Json, Outcome
from grader.reports.annotations import Annotation, annotations_of, as_code_quality, as_commands
from grader.reports.as_json import to_json
from tests.reports.shown import HOSTILE, hostile, rejected, ungraded
from tests.samples import check, report


def raised(*locations: str, outcome: Outcome = Outcome.RAISED) -> Json:
    checks = (
        replace(check(f"c{n}", points=2.0, outcome=outcome, message=f"m{n}"), location=location, exception="ValueError")
        for n, location in enumerate(locations)
    )
    return to_json(report(*checks))


def there(name: str) -> bool:
    return name in {"toy.py", "src/net.py", "toy.ipynb"}


def places(record: Json, path: str = "submissions/ada") -> list[tuple[str, int]]:
    return [(one.path, one.line) for one in annotations_of(record, path, there)]


def test_checks_that_raised_at_one_line_share_a_remark_there() -> None:
    first, second = annotations_of(raised("toy.py:7", "src/net.py:31", "toy.py:7"), "submissions/ada", there)
    assert (first.path, first.line, first.level) == ("submissions/ada/toy.py", 7, "error")
    assert first.title == "alice: ValueError"
    assert first.message == "title of c0\nm0\nhint of c0\ntitle of c2\nm2\nhint of c2"
    assert (second.path, second.line) == ("submissions/ada/src/net.py", 31)


def test_a_cell_of_a_notebook_is_named_in_the_text() -> None:
    (one,) = annotations_of(raised("toy.ipynb[cell 3]:2"), ".", there)
    assert (one.path, one.line) == ("toy.ipynb", 0)
    assert "(toy.ipynb[cell 3]:2)" in one.message


@pytest.mark.parametrize(
    "location",
    ["/etc/passwd:1", "../x.py:1", "other.py:1", "src/../../toy.py:1", "toy.py", "toy.py:x", "a:b:1", HOSTILE],
)
def test_a_file_that_the_submission_does_not_have_is_not_named(location: str) -> None:
    assert places(raised(location)) == [("submissions/ada", 0)]


def test_a_single_file_and_an_archive_are_named_themselves() -> None:
    assert places(raised("toy.py:7"), "submissions/toy.py") == [("submissions/toy.py", 7)]
    assert [(one.path, one.line) for one in annotations_of(raised("toy.py:7"), "s/ada.zip", lambda _: False)] == [
        ("s/ada.zip", 0)
    ]


def test_our_faults_and_passed_checks_are_no_remarks() -> None:
    assert annotations_of(raised("toy.py:7", outcome=Outcome.PASSED), "s", there) == []
    (one,) = annotations_of(ungraded(), "s/ada", there)
    assert (one.level, one.title) == ("warning", "alice: ungraded")
    (one,) = annotations_of(rejected(), "s/eve", there)
    assert one.level == "error"


def test_a_command_is_as_documented() -> None:
    remark = Annotation(level="error", path="a,b:c.py", line=3, title="50%, a:b", message="x%\ny::z")
    assert as_commands([remark]) == "::error file=a%2Cb%3Ac.py,line=3,title=50%25%2C a%3Ab::x%25%0Ay::z\n"
    assert as_commands([replace(remark, path="", line=0, title="t", message="m")]) == "::error title=t::m\n"


@given(st.text(max_size=60), st.text(alphabet=":,%\n\r#[]error= a", max_size=60))
def test_text_cannot_begin_or_end_a_command(first: str, second: str) -> None:
    remark = Annotation(level="warning", path=second, line=1, title=first, message=first + second)
    text = as_commands([remark, remark])
    lines = text.split("\n")
    assert len(lines) == 3
    assert lines[2] == ""
    assert "\r" not in text
    assert "##[" not in text
    for line in lines[:2]:
        assert re.fullmatch(r"::warning (file=[^:,]+,)?line=1(,title=[^:,]+)?::.*", line)


def test_hostile_records_make_remarks_and_no_commands() -> None:
    text = as_commands(annotations_of(hostile(), "s/ada", there))
    assert [line for line in text.splitlines() if not line.startswith("::error file=s/ada,title=alice%3A ")] == []
    assert "##[" not in text


def test_no_more_than_a_code_host_shows() -> None:
    many = annotations_of(raised(*(f"toy.py:{n}" for n in range(1, 20))), "s", there)
    assert as_commands(many).count("\n") == 10


def test_code_quality_rows_have_the_documented_fields() -> None:
    remarks = annotations_of(raised("toy.py:7", "toy.py:9"), "s/ada", there)
    rows = json.loads(as_code_quality(remarks))
    assert [row["location"] for row in rows] == [{"path": "s/ada/toy.py", "lines": {"begin": n}} for n in (7, 9)]
    assert {row["severity"] for row in rows} == {"major"}
    assert len({row["fingerprint"] for row in rows}) == 2
    assert as_code_quality([]) == "[]\n"


def test_a_submission_with_nothing_to_call_has_one_remark_that_says_why() -> None:
    why = "toy.py is not valid Python: expected ':' in line 4"
    checks = [check(f"c{n}", points=2.0, outcome=Outcome.INVALID, message=why) for n in range(5)]
    unnamed = check("c9", points=2.0, outcome=Outcome.INVALID)  # of a candidate's copy: the reason is hidden there
    (one,) = annotations_of(to_json(report(*checks, unnamed)), "submissions/ada", there)
    assert (one.path, one.line, one.title, one.message) == ("submissions/ada", 0, "alice: invalid", why)
    (one,) = annotations_of(to_json(report(*checks)), "submissions/ada", there, "zh")
    assert one.message == "toy.py 不是有效的 Python：第 4 行，expected ':'"
