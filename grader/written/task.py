"""The written task of a submission: every question graded, on the trusted side, without a sandbox.

An unanswered question earns 0 and is listed. What another grader says of an answer (a language model, a person) is kept
beside these scores by whoever calls; it never goes through here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from grader.model import Score, ScoredPoint, ScoredQuestion, Submission, Task, TaskResult, TaskStatus
from grader.written.calibration import shipped
from grader.written.compiled import CompiledRubric, compile_rubrics
from grader.written.grade import AnswerGrade, grade_answer, unanswered
from grader.written.guards import Flag
from grader.written.intake import Answer, find_answers
from grader.written.normalize import MAX_CHARS
from grader.written.rubric import load_rubrics


def grade_written(task: Task, submission: Submission) -> TaskResult:
    """Every question of `task`, in order. Missing where nothing is answered. Raises TaskBroken for a broken rubric."""
    rubrics = rubrics_of(task)
    answers = find_answers(submission.files, rubrics)
    if not answers.by_question:
        reason = "; ".join(answers.notes[:5]) or "no file answers a question"
        return TaskResult(task=task, status=TaskStatus.MISSING, reason=reason)
    points = {criterion.id: criterion.points for criterion in task.criteria}
    questions = []
    for question, rubric in rubrics.items():
        answer = answers.by_question.get(question)
        grade = _graded(rubric, answer, rubrics, twice=question in answers.duplicates) if answer else unanswered(rubric)
        scored = scored_question(rubric, grade, points[question])
        questions.append(replace(scored, answer=answer.text[:MAX_CHARS] if answer else ""))
    missing = [question for question in rubrics if question not in answers.by_question]
    notes = [*([f"unanswered: {', '.join(missing)}"] if missing else []), *dict.fromkeys(answers.notes)]
    return TaskResult(task=task, status=TaskStatus.GRADED, questions=questions, reason="; ".join(notes[:20]))


def rubrics_of(task: Task) -> Mapping[str, CompiledRubric]:
    """The compiled rubrics of a written task; kept for the next submission of the same run."""
    return _compiled(task.root, task.sha256)


@lru_cache(maxsize=4)
def _compiled(root: str, _sha256: str) -> Mapping[str, CompiledRubric]:
    return compile_rubrics(load_rubrics(Path(root)).values())


def _graded(
    rubric: CompiledRubric, answer: Answer, others: Mapping[str, CompiledRubric], *, twice: bool
) -> AnswerGrade:
    """The grade of one answer, with what intake saw among its flags."""
    if not answer.is_text:
        return unanswered(rubric, Flag.NOT_TEXT)
    if not answer.text.strip():
        return unanswered(rubric)
    grade = grade_answer(rubric, answer.text, shipped(), others)
    seen = {Flag.DUPLICATE: twice, Flag.MARKUP: answer.has_markup, Flag.TOO_LONG: answer.cut}
    return grade.with_flags(flag for flag, there in seen.items() if there)


def scored_question(rubric: CompiledRubric, grade: AnswerGrade, possible: float) -> ScoredQuestion:
    """The grade in points out of `possible`, for the report. The points add up to the score to the hundredth."""
    shares = split_points(possible, [point.weight for point in rubric.rubric.points])
    rows = []
    for point, graded, share in zip(rubric.rubric.points, grade.points, shares, strict=True):
        rows.append(
            ScoredPoint(
                id=point.id,
                title=point.title,
                score=Score(earned=round(share * graded.credit, 2), possible=share),
                verdict=graded.verdict,
                confidence=graded.confidence,
                evidence=graded.evidence,
                rationale=graded.reason,
            )
        )
    earned = round(sum(row.score.earned for row in rows), 2)
    return ScoredQuestion(
        id=rubric.rubric.id,
        language=grade.language,
        score=Score(earned=earned, possible=possible),
        points=tuple(rows),
        flags=tuple(grade.flags),
        needs_review=grade.needs_review,
    )


def split_points(possible: float, weights: Sequence[int]) -> list[float]:
    """`possible` shared out by weight in hundredths that add up to it exactly (largest remainders first)."""
    cents, total = round(possible * 100), sum(weights)
    floors = [cents * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(cents * weights[index] % total), index))
    for index in by_remainder[: cents - sum(floors)]:
        floors[index] += 1
    return [floor / 100 for floor in floors]
