"""Written answers in report.json: questions, points, evidence, and a language model's opinion beside them."""

from __future__ import annotations

from grader.model import Evidence, Json, OpinionSummary, ScoredPoint, ScoredQuestion, SecondOpinion
from grader.reports.rows import point_fields, row_of, score_back, score_of, text_back, text_fields


def question_to_json(question: ScoredQuestion) -> Json:
    """One written answer."""
    points = [
        {
            "id": point.id,
            **text_fields("title", point.title),
            **point_fields(point.score),
            "verdict": point.verdict,
            "confidence": point.confidence,
            "evidence": [row_of(row) for row in point.evidence],
            "rationale": point.rationale,
            "llm": _opinion(point.llm),
        }
        for point in question.points
    ]
    return {
        "id": question.id,
        "language": question.language,
        "score": score_of(question.score),
        "points": points,
        "flags": list(question.flags),
        "needs_review": question.needs_review,
        "llm": row_of(question.llm) if question.llm else None,
        "answer": question.answer,
    }


def _opinion(opinion: SecondOpinion | None) -> Json | None:
    return row_of(opinion) | {"evidence": [row_of(row) for row in opinion.evidence]} if opinion else None


def _opinion_back(row: Json | None) -> SecondOpinion | None:
    if row is None:
        return None
    evidence = tuple(Evidence(**line) for line in row["evidence"])
    return SecondOpinion(**row | {"evidence": evidence, "flags": tuple(row["flags"])})


def question_from_json(row: Json) -> ScoredQuestion:
    """The answer that `question_to_json` wrote."""
    points = (
        ScoredPoint(
            id=point["id"],
            title=text_back("title", point),
            score=score_back(point),
            verdict=point["verdict"],
            confidence=point["confidence"],
            evidence=tuple(Evidence(**line) for line in point["evidence"]),
            rationale=point["rationale"],
            llm=_opinion_back(point["llm"]),
        )
        for point in row["points"]
    )
    return ScoredQuestion(
        id=row["id"],
        language=row["language"],
        score=score_back(row["score"]),
        points=tuple(points),
        flags=tuple(row["flags"]),
        needs_review=row["needs_review"],
        llm=OpinionSummary(**row["llm"]) if row["llm"] else None,
        answer=row.get("answer", ""),  # reports of earlier versions have none
    )
