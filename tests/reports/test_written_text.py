"""The written part of the summary can be read: totals, verdicts and flags in words, quotes, nothing said twice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from grader.config import Settings
from grader.model import (
    Evidence,
    Json,
    OpinionSummary,
    Report,
    Score,
    ScoredPoint,
    ScoredQuestion,
    SecondOpinion,
    Text,
)
from grader.pipeline import Request, grade
from grader.reports.as_json import to_json
from grader.reports.as_text import render
from grader.reports.audience import for_candidate
from grader.reports.written_text import _runs
from grader.reports.written_words import _WORDS, FLAGS, flag_in_words, note_in_words, reason_in_words
from grader.task import load_tasks
from grader.written import second
from grader.written.grade import Verdict
from grader.written.guards import CAPS, Flag
from grader.written.llm.model import Verdict as ModelVerdict
from tests.samples import report

ROOT = Path(__file__).resolve().parent.parent.parent
POINT = ScoredPoint(
    id="clipping", title=Text(en="Clipping", zh="梯度裁剪"), score=Score(earned=2.0, possible=5.0), verdict="partial",
    evidence=(Evidence(quote="clip the norm", start=3, end=16),), rationale="1 of 2 parts found: “clip”",
)  # fmt: skip


@cache
def _graded(sample: str) -> Json:
    """The record of a sample's written answers."""
    tasks = load_tasks(ROOT / "tasks", ["written"])
    return to_json(grade(ROOT / "candidates" / sample, Request(tasks=tasks, settings=Settings())).report)


def _question(name: str, *points: ScoredPoint, **more: object) -> ScoredQuestion:
    score = Score(earned=sum(p.score.earned for p in points), possible=10.0)
    return replace(ScoredQuestion(id=name, language="en", score=score, points=points), **more)  # type: ignore[arg-type]


def _page(*questions: ScoredQuestion, reason: str = "", lang: str = "en", width: int = 100) -> str:
    graded: Report = report()
    task = replace(graded.tasks[0], questions=questions, reason=reason)
    return render(to_json(replace(graded, tasks=(task,))), lang, width=width)


def _empty(name: str) -> ScoredQuestion:
    return ScoredQuestion(id=name, language="none", score=Score(earned=0, possible=10), flags=("unanswered",))


def test_the_share_of_the_answered_questions_is_said() -> None:
    text = _page(_question("q01", POINT), _empty("q02"))
    assert "1 of 2 questions answered, with 20 % of their points" in text


def test_unanswered_questions_are_listed_once_and_runs_are_short() -> None:
    names = [f"q{number:02}" for number in range(2, 10)]
    text = _page(
        _question("q01", POINT), *map(_empty, names), _empty("q11"), reason=f"unanswered: {', '.join([*names, 'q11'])}"
    )
    assert "unanswered (9): q02-q09, q11" in text
    assert text.count("unanswered") == 1


def test_runs_of_three_or_more_are_joined() -> None:
    assert _runs(["q01", "q02", "q04", "q05", "q06", "q30"]) == ["q01", "q02", "q04-q06", "q30"]


def test_what_intake_noted_is_still_said() -> None:
    text = _page(_question("q01", POINT), reason="unanswered: q02; a.md: there is no question q31; not graded")
    assert "note: a.md: there is no question q31; not graded" in text


def test_verdict_points_title_quote_and_reason_stand_together() -> None:
    lines = _page(_question("q01", POINT)).splitlines()
    row = next(index for index, line in enumerate(lines) if line.endswith("Clipping"))
    assert lines[row].split() == ["partly", "2.00", "/", "5.00", "Clipping"]
    assert [line.strip() for line in lines[row + 1 : row + 3]] == ["“clip the norm”", "1 of 2 parts found: “clip”"]
    column = lines[row].index("Clipping")
    assert all(line.index(line.strip()) == column for line in lines[row + 1 : row + 3])


def test_chinese_verdicts_and_reasons_are_chinese() -> None:
    text = _page(_question("q01", POINT), _empty("q02"), reason="unanswered: q02", lang="zh")
    assert "部分满足" in text
    assert "2 个要素中找到 1 个：“clip”" in text
    assert "未作答 (1): q02" in text
    assert "unanswered" not in text


def test_flags_are_sentences_and_only_doubt_asks_for_review() -> None:
    flagged = _question("q01", POINT, flags=("injection",), needs_review=True)
    text = _page(flagged, _question("q02", POINT))
    assert "needs review (1): q01" in text
    assert "! needs review: speaks to whoever grades; those sentences earn nothing" in text


def test_full_marks_show_the_quote_and_no_reason() -> None:
    full = replace(POINT, score=Score(earned=5, possible=5), verdict="met", rationale="found together: “clip”")
    text = _page(_question("q01", full))
    assert "“clip the norm”" in text
    assert "found together" not in text


def test_the_language_models_share_and_its_word_on_a_point_are_shown() -> None:
    point = replace(POINT, llm=SecondOpinion(verdict="met", reason="names the norm"))
    summary = OpinionSummary(model="some-model", share=0.75)
    text = _page(_question("q01", point, llm=summary))
    assert "language model some-model: 75%" in text
    assert "language model: met. names the norm" in text


def test_a_candidates_copy_lists_what_is_unanswered_and_shows_no_verdict() -> None:
    record = for_candidate(to_json(replace(report(), tasks=())))
    assert record["tasks"] == []
    text = render(for_candidate(_graded("bjorn_medium")))
    assert "unanswered (23): q02, q05-q09, q11" in text
    assert "partly" not in text
    assert "“" not in text


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("sample", ["alice_strong", "hana_raises", "yuki_written"])
def test_a_real_report_fits_the_width(sample: str, lang: str) -> None:
    for line in render(_graded(sample), lang, width=80).splitlines():
        wide = sum(ord(char) >= 0x2E80 for char in line)
        assert len(line) + wide <= 82, line


def test_every_reason_of_the_grader_has_chinese_words() -> None:
    for sample in ("bjorn_medium", "dana_stub", "hana_raises", "yuki_written"):
        for question in _graded(sample)["tasks"][0]["questions"]:
            for point in question["points"]:
                assert reason_in_words(point["rationale"], "zh") != point["rationale"]


def test_every_flag_has_words_in_both_languages() -> None:
    flags = {*map(str, Flag), second.DISAGREES, second.FAILED, second.UNSURE}
    assert flags == set(FLAGS)
    assert flag_in_words("flag_of_a_later_version", "zh") == "flag_of_a_later_version"


def test_flags_that_cap_a_score_say_so() -> None:
    for flag, cap in CAPS.items():
        assert ("capped" if cap else "earns nothing") in flag_in_words(flag, "en")
        assert ("封顶" if cap else "不得分") in flag_in_words(flag, "zh")


def test_every_verdict_has_words_in_both_languages() -> None:
    assert _WORDS["en"].keys() == _WORDS["zh"].keys()
    assert {*map(str, Verdict), *(verdict.value for verdict in ModelVerdict)} <= _WORDS["en"].keys()


def test_notes_are_translated_one_by_one() -> None:
    note = "a.md: there is no question q31; not graded; q03 is answered twice; the longer answer counts"
    assert note_in_words(note, "zh") == "a.md：没有 q31 这一题，未评分; q03 作答两次，以较长的为准"
    assert note_in_words(note, "en") == note
