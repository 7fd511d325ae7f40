"""The summary says the score, where the points went and what to do, plainly and in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.model import Outcome, TaskStatus
from grader.reports.as_json import to_json
from grader.reports.as_text import _WORDS, render
from grader.reports.audience import for_candidate
from grader.scoring import rejected_report, score_report
from tests.samples import RUN, SUBMISSION, TASK, check, full_report, report, result


def test_score_bars_message_and_hint_are_shown() -> None:
    text = render(to_json(full_report()))
    assert "Alice 李: 20 / 100 (20 %)  graded" in text
    assert "Contract  [##########..........]     20 / 40" in text
    assert "- title of shape (shape): wrong answer  20 / 40" in text
    assert "shape (2,) not (3,)" in text
    assert "hint: hint of shape" in text
    assert "likely cause (90%): the mask convention is inverted" in text
    assert "ask: What does True mean in your mask?" in text


def test_chinese_where_there_is_any() -> None:
    text = render(to_json(full_report()), "zh")
    assert "已评分" in text
    assert "提示: shape的提示" in text
    assert "Learning" in text  # the title has no Chinese


def test_full_marks_are_one_line_and_only_they_fill_the_bar() -> None:
    text = render(to_json(report(check("a"), check("b", "learning", 60.0))))
    assert "all checks passed (2)" in text
    nearly = render(to_json(report(check("a", outcome=Outcome.FAILED, fraction=0.999))))
    assert "[###################.]" in nearly


def test_no_escape_without_colour_and_some_with_it() -> None:
    record = to_json(full_report())
    assert "\x1b" not in render(record)
    assert "\x1b[31m" in render(record, color=True)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_outcome_has_words(outcome: Outcome, lang: str) -> None:
    text = render(to_json(report(check("a", outcome=outcome))), lang)
    assert outcome is Outcome.PASSED or _WORDS[lang][outcome] in text


def test_both_languages_have_the_same_words() -> None:
    assert _WORDS["en"].keys() == _WORDS["zh"].keys()


def test_missing_rejected_and_unisolated_are_said() -> None:
    rows = [result(check("a")), result(status=TaskStatus.MISSING)]
    missing = score_report(SUBMISSION, rows, replace(RUN, isolated=False))
    text = render(to_json(missing))
    assert "Toy  0 / 100  missing" in text
    assert "not isolated" in text
    rejected = render(to_json(rejected_report("bob", "'x' is a symbolic link", [TASK], RUN)))
    assert "bob: 0 / 100 (0 %)  rejected" in rejected
    assert "'x' is a symbolic link" in rejected


def test_long_messages_fit_the_width() -> None:
    wide = report(check("a", outcome=Outcome.FAILED, message="word " * 80 + "中" * 100))
    for line in render(to_json(wide), width=60).splitlines():
        assert len(line) + line.count("中") <= 61


def test_a_raised_exception_shows_its_line_and_the_tail_of_the_output() -> None:
    raised = replace(
        check("a", outcome=Outcome.RAISED), location="gan.py:7", exception="ValueError",
        output="\n".join(f"line {index}" for index in range(20)),
    )  # fmt: skip
    text = render(to_json(report(raised)))
    assert "raised at gan.py:7  ValueError" in text
    assert "line 19" in text
    assert "line 13" not in text


def test_a_candidates_copy_renders_too() -> None:
    assert "learning-1" in render(for_candidate(to_json(full_report())))


def test_checks_that_one_thing_cost_stand_together_with_that_thing_said_once() -> None:
    message = "NotImplementedError\ngan.py:7 in train: raise NotImplementedError"
    ends = [check(name, outcome=Outcome.RAISED, message=message, points=10) for name in "abc"]
    same = [replace(end, location="gan.py:7", exception="NotImplementedError") for end in ends]
    other = check("d", outcome=Outcome.FAILED, message="shape (2,) not (3,)", points=10)
    lines = render(to_json(report(*same, other))).splitlines()
    assert sum("NotImplementedError" in line for line in lines) == 2  # the message's two lines, once
    assert not any("raised at" in line for line in lines)  # the message has the place
    start = next(number for number, line in enumerate(lines) if "the same in 3 checks" in line)
    assert lines[start] == "  - the same in 3 checks: raised an exception  0 / 30"
    assert lines[start + 3 : start + 6] == [f"      - title of {name} ({name})  0 / 10" for name in "abc"]
    assert any("- title of d (d): wrong answer" in line for line in lines)


def test_what_a_candidates_copy_does_not_explain_stands_together_too_where_the_end_has_one_cause() -> None:
    nothing = [check(name, outcome=Outcome.INVALID, points=4) for name in "abc"]
    wrong = [check(name, outcome=Outcome.FAILED, points=4) for name in "def"]
    text = render(for_candidate(to_json(report(*nothing, *wrong))))
    assert "the same in 3 checks: nothing to call  0 / 12" in text
    assert text.count("wrong answer") == 3
    noisy = [replace(check(name, outcome=Outcome.RAISED, message="no", points=4), output="hello") for name in "abc"]
    assert render(to_json(report(*noisy))).count("printed | hello") == 1
