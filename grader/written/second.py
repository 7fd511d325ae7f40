"""A language model's opinion beside the scores of a written task; it raises questions and never changes a point.

An endpoint that fails is our affair: the offline scores stand alone, and the report says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from grader.config import Settings
from grader.errors import UsageError
from grader.model import OpinionSummary, ScoredPoint, ScoredQuestion, SecondOpinion, Submission, Task, TaskResult
from grader.written.guards import Flag
from grader.written.intake import find_answers
from grader.written.llm.model import Endpoint, Opinion, PointOpinion, Verdict
from grader.written.rubric import Exemplar, Rubric, load_exemplars
from grader.written.task import rubrics_of

DISAGREE: Final = 0.3
"""A difference in the share of the mark from which a person looks: above what two careful markers differ by."""
DISAGREES, FAILED, UNSURE = "llm_disagrees", "llm_failed", "llm_unsure"
_NOT_ASKED = {Flag.UNANSWERED, Flag.NOT_TEXT}

OnPoint = Callable[[str, PointOpinion], None]
"""Told of each finished point: question id and opinion."""


def is_wanted(settings: Settings) -> bool:
    """True where an endpoint is configured. Raises UsageError for half a configuration."""
    if bool(settings.llm_base_url) != bool(settings.llm_model):
        missing = "llm_model" if settings.llm_base_url else "llm_base_url"
        raise UsageError(f"a second opinion needs {missing}", hint=f"set GRADER_{missing.upper()}, or unset the other")
    return bool(settings.llm_base_url)


def with_second_opinion(
    task: Task, submission: Submission, result: TaskResult, settings: Settings, cache: Path | None = None,
    on_point: OnPoint | None = None,
) -> TaskResult:  # fmt: skip
    """The result with the model's opinion on every answered question. Raises UsageError without the extra `llm`."""
    try:
        from grader.written.llm.cache import Cache
        from grader.written.llm.client import Client
        from grader.written.llm.judge import Judge
    except ModuleNotFoundError as error:
        message = "a second opinion needs the extra `llm`"
        raise UsageError(message, hint="pip install 'ml-interview-grader[llm]'") from error
    rubrics = {name: compiled.rubric for name, compiled in rubrics_of(task).items()}
    answers = find_answers(submission.files, rubrics).by_question
    endpoint = _endpoint(settings)
    questions = []
    with Client(endpoint) as client:
        judge = Judge(endpoint=endpoint, client=client, cache=Cache(folder=cache), on_point=on_point)
        for question in result.questions:
            answer = answers.get(question.id)
            if answer is None or _NOT_ASKED & set(question.flags):
                questions.append(question)
            else:
                opinion = judge.opinion(rubrics[question.id], answer.text, _exemplars(task, rubrics[question.id]))
                questions.append(beside(question, opinion, rubrics[question.id]))
    return replace(result, questions=questions)


def beside(question: ScoredQuestion, opinion: Opinion, rubric: Rubric) -> ScoredQuestion:
    """The question with the opinion beside its scores; flagged for a person where the two differ or one is in doubt."""
    found = {row.point: row for row in opinion.points}
    points = tuple(replace(point, llm=_second(found[point.id])) for point in question.points)
    weights = {point.id: point.weight for point in rubric.points}
    share = sum(weights[point.id] * _share(point, found[point.id]) for point in points) / rubric.weight
    flags = _flags(question, points, found, share)
    summary = OpinionSummary(
        model=opinion.model,
        share=round(share, 4),
        calls=opinion.usage.calls,
        cached=opinion.usage.cached,
        input_tokens=opinion.usage.input_tokens,
        output_tokens=opinion.usage.output_tokens,
        cost=round(opinion.usage.cost, 6),
    )
    return replace(
        question,
        points=points,
        flags=tuple(dict.fromkeys((*question.flags, *flags))),
        needs_review=question.needs_review or bool(flags),
        llm=summary,
    )


def _flags(
    question: ScoredQuestion, points: tuple[ScoredPoint, ...], found: Mapping[str, PointOpinion], share: float
) -> list[str]:
    own = question.score.earned / question.score.possible if question.score.possible else 0.0
    opposite = any({point.verdict, found[point.id].verdict} in _OPPOSITES for point in points)
    flags = [DISAGREES] if abs(share - own) >= DISAGREE or opposite else []
    flags += [FAILED] if any(row.error for row in found.values()) else []
    doubtful = (row.flags or row.verdict is Verdict.CANNOT_ASSESS for row in found.values() if not row.error)
    return flags + ([UNSURE] if any(doubtful) else [])


_OPPOSITES = ({"met", "unmet"}, {"met", "contradicted"})


def _second(row: PointOpinion) -> SecondOpinion:
    return SecondOpinion(
        verdict=row.verdict.value,
        evidence=(row.evidence,) if row.evidence else (),
        reason=row.reason,
        samples=row.samples,
        agreement=row.agreement,
        flags=row.flags,
        error=row.error,
    )


def _share(point: ScoredPoint, row: PointOpinion) -> float:
    """The model's share of a point; the offline grader's where the model has none."""
    if row.error:
        return point.score.earned / point.score.possible if point.score.possible else 0.0
    return row.verdict.share


def _endpoint(settings: Settings) -> Endpoint:
    return Endpoint(
        base_url=settings.llm_base_url or "",
        model=settings.llm_model or "",
        api_key=settings.llm_api_key or "",
        input_price=settings.llm_input_price,
        output_price=settings.llm_output_price,
    )


def _exemplars(task: Task, rubric: Rubric) -> tuple[Exemplar, ...]:
    path = Path(task.root, "exemplars", f"{rubric.id}.jsonl")
    return load_exemplars(path, rubric) if path.is_file() else ()
