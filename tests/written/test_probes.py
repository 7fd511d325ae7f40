"""Without knowledge no points: the acceptance lines of the guards, over every rubric that ships."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import fmean

import pytest

from grader.written.calibration import shipped
from grader.written.compiled import CompiledRubric
from grader.written.grade import AnswerGrade, grade_answer
from grader.written.guards import Flag
from tests.written.probes import (
    INJECTIONS,
    denied_sentences,
    model_sentences,
    negated,
    question_with_filler,
    shuffled,
    stuffed,
)

Rubrics = Mapping[str, CompiledRubric]
References = dict[tuple[str, str], str]

pytestmark = pytest.mark.parametrize("lang", ["en", "zh"])


def _mean(grades: Iterable[AnswerGrade]) -> float:
    return fmean(grade.share for grade in grades)


def test_references_earn_full_marks_without_a_flag(rubrics: Rubrics, references: References, lang: str) -> None:
    for name, rubric in rubrics.items():
        grade = grade_answer(rubric, references[name, lang], shipped(), rubrics)
        assert grade.share >= 0.95, name
        assert grade.flags == (), name


def test_the_question_said_again_earns_nothing(rubrics: Rubrics, lang: str) -> None:
    grades = [grade_answer(row, row.rubric.question.in_language(lang), shipped(), rubrics) for row in rubrics.values()]
    assert _mean(grades) <= 0.10
    filled = [grade_answer(row, question_with_filler(row, lang), shipped(), rubrics) for row in rubrics.values()]
    assert _mean(filled) <= 0.15


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_shuffled_key_words_are_capped_and_flagged(rubrics: Rubrics, lang: str, seed: int) -> None:
    grades = [grade_answer(row, stuffed(row.rubric, lang, seed), shipped(), rubrics) for row in rubrics.values()]
    assert _mean(grades) <= 0.30
    assert fmean(Flag.STUFFED in grade.flags for grade in grades) >= 0.9


def test_instructions_to_the_grader_change_nothing_and_are_flagged(
    rubrics: Rubrics, references: References, lang: str
) -> None:
    for name, rubric in rubrics.items():
        honest = grade_answer(rubric, references[name, lang], shipped())
        for words in INJECTIONS:
            told = grade_answer(rubric, references[name, lang] + words, shipped())
            assert abs(told.share - honest.share) <= 0.02, name
            assert Flag.INJECTION in told.flags
            assert grade_answer(rubric, words, shipped()).share == 0.0


def test_the_answer_to_another_question_earns_little(rubrics: Rubrics, references: References, lang: str) -> None:
    names = list(rubrics)
    grades = [
        grade_answer(rubrics[name], references[names[(place + step) % len(names)], lang], shipped(), rubrics)
        for place, name in enumerate(names)
        for step in (1, 8)
    ]
    assert _mean(grades) <= 0.10


def test_a_reference_in_which_every_sentence_is_called_untrue_earns_little(
    rubrics: Rubrics, references: References, lang: str
) -> None:
    grades = [
        grade_answer(row, denied_sentences(references[name, lang], lang), shipped()) for name, row in rubrics.items()
    ]
    assert max(grade.share for grade in grades) <= 0.30
    assert all(Flag.NEGATED in grade.flags for grade in grades)


def test_denied_verbs_cost_most_of_the_score(rubrics: Rubrics, references: References, lang: str) -> None:
    for what in ("reference", "models"):
        texts = {
            name: references[name, lang] if what == "reference" else model_sentences(row.rubric, lang)
            for name, row in rubrics.items()
        }
        grades = [grade_answer(row, negated(texts[name], lang), shipped()) for name, row in rubrics.items()]
        assert _mean(grades) <= 0.30, what


def test_model_sentences_alone_earn_full_marks(rubrics: Rubrics, lang: str) -> None:
    for name, row in rubrics.items():
        assert grade_answer(row, model_sentences(row.rubric, lang), shipped(), rubrics).share >= 0.95, name


def test_an_english_answer_in_random_order_is_seen(rubrics: Rubrics, references: References, lang: str) -> None:
    if lang == "zh":
        return  # no spaces to shuffle at
    grades = [grade_answer(row, shuffled(references[name, lang], 1), shipped()) for name, row in rubrics.items()]
    assert _mean(grades) <= 0.2
    assert fmean(Flag.STUFFED in grade.flags for grade in grades) >= 0.95
