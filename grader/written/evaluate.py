"""How far the offline grader agrees with people: reads scored answers, grades them, compares.

Answers to our own questions go through the rubric, all others through `unseen`. Of other
data, each question is scored by models that never saw it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.errors import UsageError
from grader.model import Json
from grader.text import sanitize_line
from grader.written.calibration import Calibration
from grader.written.compiled import CompiledRubric
from grader.written.grade import MIDDLE, grade_answer
from grader.written.guards import CAPS, Flag, guard
from grader.written.language import detect
from grader.written.lexical import Item
from grader.written.metrics import METRICS, Scores, bias, interval
from grader.written.rubric import Exemplar
from grader.written.tokens import read
from grader.written.unseen import choose_exemplars, corrected, predict_unseen

_MAX_ROWS = 200_000
RIGHT, PASSED = 0.8, 0.6
"""From this share on people call an answer right; such an answer should get the second share at least."""

Flags = frozenset[Flag]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One scored answer. `score` is in [0, 1]; `references` is empty where a rubric is used."""

    question: str
    answer: str
    score: float
    kind: str = ""
    language: str = ""
    split: str = ""
    prompt: str = ""
    references: tuple[str, ...] = ()


def read_rows(path: Path, rubrics: Mapping[str, CompiledRubric]) -> list[Row]:
    """The rows of a JSONL file. Raises UsageError with the line."""
    rows = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()[:_MAX_ROWS]
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else sanitize_line(str(error))
        raise UsageError(f"cannot read {path}: {why}", hint="give a JSONL file") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                rows.append(_row(json.loads(line), rubrics))
            except (ValueError, TypeError, KeyError, RecursionError, ZeroDivisionError) as error:
                what = f"{path}, line {number}: {type(error).__name__} {sanitize_line(str(error), 120)}"
                hint = (
                    "expected question_id, student_answer, score, max_score, question, reference_answer; or an exemplar"
                )
                raise UsageError(what, hint=hint) from error
    return rows


def _row(record: Json, rubrics: Mapping[str, CompiledRubric]) -> Row:
    if "scores" in record:  # one of our exemplars
        question = record["id"].partition("-")[0]
        exemplar = Exemplar(**record)
        return Row(
            question=question,
            answer=exemplar.text,
            score=exemplar.score(rubrics[question].rubric),
            kind=exemplar.kind,
            language=exemplar.language,
            split=exemplar.split,
        )
    answer = record["student_answer"] if "student_answer" in record else record["answer"]
    question = str(record["question_id"])
    references = () if question in rubrics else (record["reference_answer"], *record.get("alt_reference_answers", []))
    return Row(
        question=question,
        answer=str(answer),
        score=min(max(float(record["score"]) / float(record.get("max_score", 1)), 0.0), 1.0),
        kind=str(record.get("kind", record.get("label", ""))),
        language=str(record.get("language", record.get("lang", ""))),
        split=str(record.get("split", "")),
        prompt=str(record.get("question", "")),
        references=references,
    )


def evaluate(
    rows: Sequence[Row],
    rubrics: Mapping[str, CompiledRubric],
    calibration: Calibration,
    exemplars: int = 0,
    split: str = "",
) -> Json:
    """All figures for `rows`, as plain JSON. `exemplars`: graded answers of each question that the grader may see.

    With a `split` only its rows are compared; the others of other questions serve to fit. Raises UsageError
    where there are none.
    """
    if not any(not split or row.split == split for row in rows):
        raise UsageError(f"there are no answers{f' of the split {split!r}' if split else ''}")
    with_rubric = [row for row in rows if not row.references]
    without = [row for row in rows if row.references]
    used, machine, flags = list[Row](), list[float](), list[Flags]()
    for row in with_rubric:
        if split and row.split != split:
            continue
        grade = grade_answer(rubrics[row.question], row.answer, calibration, rubrics)
        used.append(row)
        machine.append(grade.share)
        flags.append(frozenset(grade.flags))
    if without:
        kept, scores, seen = _without_rubric(without, exemplars, split)
        used += kept
        machine += scores
        flags += seen
    return _figures(used, np.array(machine), flags, exemplars)


def _without_rubric(rows: list[Row], exemplars: int, split: str) -> tuple[list[Row], list[float], list[Flags]]:
    """The rows that are not exemplars, their predicted scores, and their flags."""
    items = [Item(question=row.prompt, references=row.references, answer=row.answer) for row in rows]
    scores, questions = np.array([row.score for row in rows]), [row.question for row in rows]
    predicted = predict_unseen(items, scores, questions)
    given = choose_exemplars(scores, questions, exemplars)
    if given.any():
        predicted = corrected(predicted, items, scores, questions, given)
    # With exemplars, only questions that have some are counted: the others were not helped.
    helped = {question for question, one in zip(questions, given, strict=True) if one}
    kept = [
        index
        for index in range(len(rows))
        if not given[index]
        and (not exemplars or questions[index] in helped)
        and (not split or rows[index].split == split)
    ]
    flags = [_flags(rows[index], float(predicted[index])) for index in kept]
    return [rows[index] for index in kept], [float(predicted[index]) for index in kept], flags


def _flags(row: Row, predicted: float) -> Flags:
    middle = {Flag.MIDDLE} if MIDDLE[0] <= predicted <= MIDDLE[1] else set()
    return frozenset(guard(read(row.answer), [read(row.prompt)]).flags) | middle


def _figures(rows: Sequence[Row], machine: Scores, flags: Sequence[Flags], exemplars: int) -> Json:
    human = np.array([row.score for row in rows])
    questions = [row.question for row in rows]
    languages = [row.language or detect(read(row.answer)) for row in rows]
    sure = np.array([not seen - {Flag.UNANSWERED} for seen in flags], dtype=bool)
    unflagged = _metrics(human[sure], machine[sure], [name for name, one in zip(questions, sure, strict=True) if one])
    return {
        "answers": len(rows),
        "questions": len(set(questions)),
        "exemplars_per_question": exemplars,
        "all": _metrics(human, machine, questions),
        "unflagged": {"coverage": round(float(sure.mean()), 4), **unflagged},
        "right_answers": _right_answers(human, machine, flags),
        "bias_by_language": _bias_by(languages, human, machine),
        "bias_by_kind": _bias_by([row.kind for row in rows], human, machine),
    }


def _metrics(human: Scores, machine: Scores, questions: Sequence[str]) -> Json:
    """Each metric with its interval, [value, low, high]; null where there is too little to compare."""
    if len(human) < 2:
        return dict.fromkeys(METRICS)
    return {
        name: [round(number, 4) for number in (metric(human, machine), *interval(metric, human, machine, questions))]
        for name, metric in METRICS.items()
    }


def _right_answers(human: Scores, machine: Scores, flags: Sequence[Flags]) -> Json | None:
    """What becomes of the answers to which people gave `RIGHT` or more; null where there are none."""
    right = [row for row, score in enumerate(human) if score >= RIGHT]
    if not right:
        return None
    caps = {flag: sum(flag in flags[row] for row in right) for flag in CAPS}
    return {
        "answers": len(right),
        "mean": round(float(machine[right].mean()), 4),
        "passed": round(float((machine[right] >= PASSED).mean()), 4),
        "capped": round(float(np.mean([not CAPS.keys().isdisjoint(flags[row]) for row in right])), 4),
        "caps": {flag.value: count for flag, count in caps.items() if count},
    }


def _bias_by(labels: Iterable[str], human: Scores, machine: Scores) -> Json:
    """Machine minus human for each label: mean and number of answers."""
    names = np.array(list(labels))
    return {
        str(name): {
            "bias": round(bias(human[names == name], machine[names == name]), 4),
            "answers": int((names == name).sum()),
        }
        for name in sorted(set(names.tolist()))
        if name
    }
