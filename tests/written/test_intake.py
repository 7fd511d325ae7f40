"""Answers are found in every form that candidates are told of, and hostile bytes have a clear outcome."""

from __future__ import annotations

import json
import time

import pytest

from grader.model import Submission, TaskResult, TaskStatus
from grader.reports.written_json import question_to_json
from grader.task import load_task
from grader.written.intake import find_answers
from grader.written.normalize import MAX_CHARS
from grader.written.task import grade_written, split_points
from tests.written.conftest import TASK

KNOWN = ("q01", "q02", "q10")


def _ids(files: dict[str, bytes]) -> dict[str, str]:
    return {name: answer.text.strip() for name, answer in find_answers(files, KNOWN).by_question.items()}


@pytest.mark.parametrize(
    "heading",
    [
        "## Q1",
        "# q01",
        "## 1.",
        "### 1",
        "## 问题1",
        "## 第１题",
        "## Ｑ１",
        "## Question 1",
        "## 1、概述",
        "Q1:",
        "**Q1**",
        "## Q01: problems",
    ],
)
def test_every_heading_begins_an_answer(heading: str) -> None:
    text = f"intro\n{heading}\nfirst answer\n1. a list\n2. goes on\n## Q2\nsecond"
    answers = _ids({"answers.md": text.encode()})
    assert answers["q01"].endswith("first answer\n1. a list\n2. goes on")
    assert answers["q02"] == "second"


def test_files_folders_and_notebooks() -> None:
    cells = [{"cell_type": "markdown", "source": ["## Q10\n", "from a cell"]}, {"cell_type": "code", "source": "## Q2"}]
    files = {"answers/q01.md": b"one", "answers/q2.txt": b"two", "answers.ipynb": json.dumps({"cells": cells}).encode()}
    assert _ids(files) == {"q01": "one", "q02": "two", "q10": "from a cell"}


def test_a_question_that_does_not_exist_and_a_second_answer_are_noted() -> None:
    answers = find_answers({"answers.md": b"## Q31\nx\n## Q1\nshort\n## Q1\nmuch longer"}, KNOWN)
    assert answers.by_question["q01"].text == "much longer"
    assert answers.duplicates == {"q01"}
    assert any("q31" in note for note in answers.notes)


def test_a_heading_in_a_code_fence_is_code() -> None:
    assert _ids({"answers.md": b"## Q1\n```\n## Q2\n```\nend"}) == {"q01": "```\n## Q2\n```\nend"}


def _grade(files: dict[str, bytes]) -> TaskResult:
    submission = Submission(id="x", candidate="x", files=files, entries={}, sha256="")
    return grade_written(load_task(TASK), submission)


HOSTILE = {
    "empty": (b"", "unanswered"),
    "spaces": (b" \n\t", "unanswered"),
    "non-answer": ("不知道".encode(), "non_answer"),
    "binary": (bytes(range(256)) * 40, "not_text"),
    "nul": (b"a\0b" * 1000, "not_text"),
    "ten megabytes": (b"overfitting " * 900_000, "too_long"),
    "html": (b"<html><script>alert('warmup loss spike')</script><p>The loss spikes.</p></html>", "markup"),
    "marks": (("a" + "\u0301" * 100_000).encode(), "non_answer"),
    "open tags": (b"<p><" * 60_000, "markup"),
    "third language": (
        b"Das Modell ist zu gross und passt nicht auf eine Karte, deshalb wird es verteilt.",
        "unsupported_language",
    ),
    "one word again and again": (("学习率" * 40_000).encode(), "too_long"),
    "parentheses": (b"(" * 200_000 + b"loss spike", "non_answer"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_have_a_clear_outcome_in_little_time(name: str) -> None:
    data, flag = HOSTILE[name]
    _grade({"answers/q01.md": b"x"})  # compiles the rubrics
    started = time.process_time()
    result = _grade({"answers/q01.md": data})
    assert time.process_time() - started < 2.0
    question = next(row for row in result.questions if row.id == "q01")
    assert flag in question.flags
    assert question.score.earned <= 1.0
    assert question.needs_review == (flag != "unanswered")


def test_other_encodings_are_read() -> None:
    text = "## Q1\n损失出现尖峰时可以做梯度裁剪。"
    for data in (
        text.encode("gb18030"),
        text.encode("utf-16"),
        text.encode("utf-8-sig"),
        text.replace("\n", "\r\n").encode(),
    ):
        result = _grade({"answers.md": data})
        assert result.questions[0].score.earned > 1, data[:4]


def test_the_answer_is_kept_as_it_was_read_and_evidence_counts_its_characters() -> None:
    """Invisible marks, escapes and foreign line breaks go before grading, so that offsets hold in the report too."""
    text = "\ufeff## Q1\r\n\x1b[31mFirst\u202e, the loss\u200b spikes:\x85we clip\u2028gradients 😀. " + "x" * 20_000
    question = question_to_json(_grade({"answers.md": text.encode()}).questions[0])
    assert question["answer"].startswith("First, the loss spikes:\nwe clip\ngradients 😀. xxx")
    assert len(question["answer"]) == MAX_CHARS
    evidence = [row for point in question["points"] for row in point["evidence"]]
    assert evidence
    for row in evidence:
        assert question["answer"][row["start"] : row["end"]] == row["quote"]


def test_no_answer_at_all_is_missing_and_unanswered_ones_are_listed() -> None:
    assert _grade({"transformer.py": b"x = 1"}).status is TaskStatus.MISSING
    result = _grade({"answers.md": b"## Q1\nThe loss diverges without warm-up."})
    assert result.status is TaskStatus.GRADED
    assert all(row.score.earned == 0 for row in result.questions[1:])


def test_points_are_shared_out_to_the_hundredth() -> None:
    assert sum(split_points(10.0, [3, 3, 4, 2, 3, 2])) == pytest.approx(10.0)
    assert split_points(10.0, [1, 1, 1]) == [3.34, 3.33, 3.33]


UNSEEN = (
    "<!-- {} -->",
    "[//]: # ({})",
    "[x]: http://x '{}'",
    "<span style='display: none'>{}</span>",
    "<p hidden>{}<b>x</b></p>",
    "<div style='font-size:0px'>a<br>{}</div>",
    "<template>{}</template>",
    "<title>{}</title>",
    "<img alt='{}' src=x><br>",
)


@pytest.mark.parametrize("unseen", UNSEEN)
def test_what_no_reader_sees_is_no_answer(unseen: str) -> None:
    text = f"before\n\n{unseen.format('gradient clipping')}\n\nafter"
    found = find_answers({"answers/q01.md": text.encode()}, KNOWN).by_question["q01"]
    assert found.text.split() == ["before", "after"]
    assert found.has_markup


def test_a_comment_that_never_ends_is_text_and_costs_little() -> None:
    started = time.process_time()
    text = find_answers({"answers/q01.md": b"<!-- " * 400_000 + b"real"}, KNOWN).by_question["q01"].text
    assert text.endswith("real")
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("section", ["<![CDATAQ9\n]]>", "<![x[ ]]>", "<![ a>", "<![CDATA[a>", "<![if a]>", "<!["])
def test_a_marked_section_of_any_kind_is_read_as_browsers_read_it(section: str) -> None:
    found = find_answers({"answers/q01.md": f"before <br> {section} after".encode()}, KNOWN).by_question["q01"]
    assert found.text.split()[0] == "before"
    assert found.text.split()[-1] == "after"


def test_signs_of_comparison_and_arrows_are_no_markup() -> None:
    text = "if a < b and the hidden state is h -> c: see [1] and `x[0]: int`"
    assert _ids({"answers/q01.md": text.encode()}) == {"q01": text}


@pytest.mark.parametrize(
    "piece", ["<a ", "<a b='", '<a b="', "</a ", "<![", "<!--", "<style><", "<textarea>", "<a/", "&#"]
)
def test_markup_that_never_ends_costs_little(piece: str) -> None:
    started = time.process_time()
    find_answers({"answers/q01.md": f"<br>{piece * 100_000}".encode()}, KNOWN)
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("reference", ["&#" + "9" * 5000 + ";", "&#x" + "f" * 5000, "&#1114112;"])
def test_a_reference_to_no_character_is_no_failure(reference: str) -> None:
    text = find_answers({"answers/q01.md": f"<br>a {reference} b".encode()}, KNOWN).by_question["q01"].text
    assert text.split()[0] == "a"
    assert text.split()[-1] == "b"


def test_markup_inside_quotes_and_scripts_is_none() -> None:
    page = (
        "<p title='a > b' class=x>one</p><script>if (a < b) { '</div>' } \"</script>two<br/>"
        "<div title='>' style='display&#58;none'>gradient clipping</div><STYLE>x</Style >three &lt;four&gt;"
    )
    assert find_answers({"answers/q01.md": page.encode()}, KNOWN).by_question["q01"].text.split() == [
        "one", "two", "three", "<four>",
    ]  # fmt: skip
