"""The Markdown summary: short enough for a comment, and what candidates wrote stays inside code spans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from grader.model import Json, Outcome
from grader.reports.as_json import to_json
from grader.reports.as_markdown import MAX_CHARS, document, documents
from grader.reports.audience import for_candidate
from grader.reports.look import Look
from grader.reports.markup import code
from grader.text import sanitize_line
from tests.reports.shown import EN, HOSTILE, RECORDS, ZH, decided, hostile, named, outcomes, rejected
from tests.review.samples import of_check, override, record
from tests.samples import check, report

# As code hosts read it: tables, strikethrough, bare addresses as links, HTML.
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False, "html": True})


def tokens(text: str) -> Iterator[Token]:
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or ()


def outside_code(text: str) -> str:
    """All text that is not in a code span."""
    return " ".join(token.content for token in tokens(text) if token.type in ("text", "html_block", "html_inline"))


def test_score_tasks_criteria_and_what_was_wrong_are_there() -> None:
    text = document(outcomes(), EN)
    assert text.startswith("### `Alice 李`: 0 % (0 / 100)\n\n**not graded (our fault: no verdict)**\n")
    assert "| Toy | 0 % | 0 / 100 | not graded (our fault: no verdict) |" in text
    assert "- :x: title of c2: raised, 0 / 6 `toy.py:7` `ValueError`" in text
    assert "  - `ended as raised`" in text
    assert "- :warning: title of c5: sandbox down (our fault), 0 / 6" in text
    chinese = document(outcomes(), ZH)
    assert "c2的标题: 抛出异常" in chinese


def test_checks_that_one_thing_cost_are_one_item() -> None:
    same = [check(name, outcome=Outcome.INVALID, message="no function train", points=4) for name in "abcd"]
    text = document(to_json(report(*same, check("e", outcome=Outcome.FAILED, message="shape", points=4))), EN)
    assert "- :x: The same in 4 checks: nothing to call, 0 / 16\n  - `no function train`\n" in text
    assert "  - title of a; title of b; title of c; title of d\n" in text
    assert "- :x: title of e: wrong answer, 0 / 4" in text
    many = [check(f"c{n}", outcome=Outcome.INVALID, message="no function train", points=2) for n in range(20)]
    assert "; title of c7; and 12 more\n" in document(to_json(report(*many)), EN)


def test_written_answers_say_how_many_wait_for_a_person() -> None:
    assert "2 of 2 questions answered; 1 wait for a person; flags: stuffed" in document(record(), EN)


def test_points_of_a_person_count(tmp_path: Path) -> None:
    text = document(decided(tmp_path, override(of_check("mask"), 3.33)), EN)
    assert "| Contract | 10 / 10 |" in text
    assert "1 given by a person" in text
    assert "title of mask" not in text


@pytest.mark.parametrize("look", [EN, ZH], ids=["en", "zh"])
@pytest.mark.parametrize("make", [hostile, rejected], ids=["hostile", "rejected"])
def test_hostile_text_stays_inside_code_spans(make: object, look: Look) -> None:
    stored: Json = make()  # type: ignore[operator]
    for text in (document(stored, look), documents([stored, named(stored, "bo")], look)):
        kinds = {token.type for token in tokens(text)}
        assert not kinds & {"link_open", "image", "html_inline", "fence", "code_block", "s_open"}
        plain = outside_code(text)
        for word in ("octocat", "evil", "script", "forged", "passwd", "CDATA"):
            assert word not in plain
        assert any("octocat" in token.content for token in tokens(text) if token.type == "code_inline")
        html = [token.content.strip() for token in MARKDOWN.parse(text) if token.type == "html_block"]
        assert all(block.startswith(("<details>\n<summary>", "</details>")) for block in html)


@given(st.text(alphabet="`|\\ @<a\n", max_size=30))
def test_nothing_leaves_its_code_span(text: str) -> None:
    line = sanitize_line(text)
    (inline,) = [token for token in MARKDOWN.parse(f"x {code(text)} y") if token.type == "inline"]
    inside = [child.content for child in inline.children or () if child.type == "code_inline"]
    assert inside == ([line.replace("|", "¦")] if line else [])


@given(st.text(alphabet="`|\\ -:", min_size=1, max_size=30))
def test_a_cell_stays_one_cell(text: str) -> None:
    table = f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n"
    cells = [token for token in MARKDOWN.parse(table) if token.type == "td_open"]
    assert len(cells) == 2


def test_many_submissions_are_a_table_and_a_folded_part_each() -> None:
    text = documents([named(record(), name) for name in ("ada", "bo")], EN)
    assert "| `ada` | 53.7 % | 9.66 / 18 | graded | 1 |" in text
    assert text.count("<details>") == text.count("</details>") == 2
    assert "<summary>bo</summary>" in text
    assert documents([], EN) == "There is no result.\n"


def test_a_comment_can_hold_any_number_of_submissions() -> None:
    long = to_json(
        report(
            *(
                replace(check(f"c{n}", points=2.0, outcome=Outcome.FAILED), message="x" * 388 + str(n))
                for n in range(20)
            )
        )
    )
    text = documents([named(long, f"s{number}") for number in range(40)], EN)
    assert len(text.encode()) <= MAX_CHARS
    assert text.endswith("_Cut here: the whole is in the job's artifacts._\n")
    assert text.count("<details>") == text.count("</details>")
    assert "and 5 more" in document(long, EN)


def test_a_candidates_copy_tells_nothing_hidden() -> None:
    text = document(for_candidate(RECORDS["everything"]()), EN)
    for secret in ("accuracy 0.41", "title of accuracy", "hidden row 3", "What does True mean"):
        assert secret not in text


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_a_summary(name: str) -> None:
    assert document(RECORDS[name](), EN).startswith("### `")
    assert HOSTILE[:20] not in document(RECORDS[name](), ZH).split("\n")[0] or name == "hostile"
