"""One answer against one rubric: guards, points, credit. A pure function of (rubric, text, calibration).

The same answer always gives the same verdicts, to the byte. Other graders of it (a language model, a person)
keep their verdicts beside this one; nothing here knows of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import floor

from grader.model import Evidence
from grader.written.calibration import Calibration
from grader.written.compiled import CompiledContradiction, CompiledPoint, CompiledRubric
from grader.written.guards import CAPS, Flag, guard
from grader.written.language import detect
from grader.written.match import Found, State, match_point
from grader.written.negation import denying_clauses, negators
from grader.written.similarity import units
from grader.written.thesaurus import widened
from grader.written.tokens import Document, read, words

MIDDLE = (0.35, 0.65)
"""Scores in this band ask for review: graders, machine or human, agree least there."""
LONG_ANSWER = 80
"""So many words (two Chinese characters are one) with a score below the band may be right in other words."""
_QUOTE_CHARS = 400


class Verdict(StrEnum):
    """What became of a point."""

    MET = "met"
    PARTIAL = "partial"
    UNMET = "unmet"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointGrade:
    """One point: `credit` in [0, 1] of its weight, and why."""

    id: str
    verdict: Verdict
    credit: float
    confidence: float
    evidence: tuple[Evidence, ...]
    reason: str
    found: Found


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerGrade:
    """One answer: the points' credits are already within the cap of the flags."""

    question: str
    language: str
    points: tuple[PointGrade, ...]
    share: float
    """Earned of the whole, in [0, 1]."""
    flags: tuple[Flag, ...] = ()

    def with_flags(self, flags: Iterable[Flag]) -> AnswerGrade:
        """The same grade with more flags."""
        return dataclasses.replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))

    @property
    def needs_review(self) -> bool:
        """True where a person should look before the score counts."""
        return bool(set(self.flags) - {Flag.UNANSWERED})


def grade_answer(
    rubric: CompiledRubric, text: str, calibration: Calibration, others: Mapping[str, CompiledRubric] | None = None
) -> AnswerGrade:
    """Grades `text`. `others`: the other rubrics, so that an answer to another question is recognised."""
    document = read(text)
    guarded = guard(document, rubric.questions)
    open_document = widened(without(document, guarded.masked))
    points = _points(rubric, open_document, calibration)
    share = _share(rubric, points)
    flags = list(guarded.flags)
    language = detect(document)
    if language == "other":
        flags.append(Flag.LANGUAGE)
    if (
        others
        and share <= _FULL_OWN
        and document.tokens
        and _answers_another(rubric, open_document, calibration, others, share)
    ):
        flags.append(Flag.OTHER_QUESTION)
    if any(point.found.misconceptions for point in points):
        flags.append(Flag.MISCONCEPTION)
    if _is_negated(points, open_document):
        flags.append(Flag.NEGATED)
    points = _capped(points, share, flags)
    share = _share(rubric, points)
    if MIDDLE[0] <= share <= MIDDLE[1]:
        flags.append(Flag.MIDDLE)
    elif share < MIDDLE[0] and CAPS.keys().isdisjoint(flags) and words(document.tokens) >= LONG_ANSWER:
        flags.append(Flag.LITTLE_FOUND)
    return AnswerGrade(question=rubric.rubric.id, language=language, points=points, share=share, flags=tuple(flags))


def unanswered(rubric: CompiledRubric, flag: Flag = Flag.UNANSWERED) -> AnswerGrade:
    """The grade of a question without an answer: 0, and listed as such."""
    empty = Found(state=State.NONE, share=0.0, similarity=0.0)
    points = tuple(
        PointGrade(
            id=row.point.id,
            verdict=Verdict.UNMET,
            credit=0.0,
            confidence=1.0,
            evidence=(),
            reason="no answer",
            found=empty,
        )
        for row in rubric.points
    )
    return AnswerGrade(question=rubric.rubric.id, language="none", points=points, share=0.0, flags=(flag,))


def without(document: Document, masked: frozenset[int]) -> Document:
    """`document` with the masked sentences out of its index: they are still there to be shown, but match nothing."""
    if not masked:
        return document
    index = {
        key: kept
        for key, places in document.index.items()
        if (kept := [place for place in places if document.tokens[place[0]].sentence not in masked])
    }
    return dataclasses.replace(document, index=index)


NEGATED_CLAUSES, NEGATED_RATE, NEGATED_SHARE = 6, 0.2, 0.4
"""From so many denying clauses, at this share of all, with this share of the found points near one, an answer denies
its own words: no genuine train exemplar has more than five denying clauses."""
NEGATED_OFTEN, NEGATED_OFTEN_RATE = 8, 0.25
"""From here on it does so whatever stands near."""


def _is_negated(points: Iterable[PointGrade], document: Document) -> bool:
    """True where denial runs through the answer and what it found: a reference with its verbs negated."""
    denying = denying_clauses(document)
    clauses = len({token.clause for token in document.tokens})
    if len(denying) >= max(NEGATED_OFTEN, NEGATED_OFTEN_RATE * clauses):
        return True
    if len(denying) < max(NEGATED_CLAUSES, NEGATED_RATE * clauses):
        return False
    found = [point.found for point in points if point.found.state in (State.MET, State.SCATTERED, State.CONTRADICTED)]
    near = sum(row.near_denial or row.state is State.CONTRADICTED for row in found)
    return near >= NEGATED_SHARE * len(found) > 0


_OTHER_OWN, _OTHER_SHARE = 0.4, 0.6
"""An answer with at most the first share here, and at least the second on another question, answers that one."""
_FULL_OWN, _FULL_SHARE = 0.76, 0.9
"""Near questions share points: up to this share here, only a full answer to the other one counts."""


def _answers_another(
    rubric: CompiledRubric,
    document: Document,
    calibration: Calibration,
    others: Mapping[str, CompiledRubric],
    own: float,
) -> bool:
    """True where another rubric finds its full answer here."""
    for name, other in others.items():
        if name != rubric.rubric.id and _may_hold(other, document):
            share = _share(other, _points(other, document, calibration))
            least, gap = (_OTHER_SHARE, 0.3) if own <= _OTHER_OWN else (_FULL_SHARE, 0.24)
            if share >= least and share - own >= gap:
                return True
    return False


def _may_hold(rubric: CompiledRubric, document: Document) -> bool:
    """A quick look before a full match: half of its groups have an alias whose words are there."""
    index = document.index
    groups = [group for point in rubric.points for group in point.groups]
    there = sum(any(all(not p.keys or p.keys[0] in index for p in alias.pieces) for alias in group) for group in groups)
    return there * 2 >= len(groups)


def _points(rubric: CompiledRubric, document: Document, calibration: Calibration) -> tuple[PointGrade, ...]:
    negating = negators(document)
    known = frozenset(unit for question in rubric.questions for unit in units(question.tokens))
    return tuple(_grade_point(point, document, negating, known, calibration) for point in rubric.points)


def _grade_point(
    point: CompiledPoint, document: Document, negating: frozenset[int], known: frozenset[str], calibration: Calibration
) -> PointGrade:
    found = match_point(point, document, negating, known)
    deducted = max((row.contradiction.deduct for row, _ in found.misconceptions), default=0.0)
    credit = max(calibration.credit(found) - deducted, 0.0)
    verdict = _verdict(found, credit, deducted)
    spans = [span for _, span in found.misconceptions] or ([found.span] if found.span[1] else [])
    return PointGrade(
        id=point.point.id,
        verdict=verdict,
        credit=round(credit, 4),
        confidence=calibration.confidence[found.state],
        evidence=tuple(quote(document, span) for span in spans[:2]),
        reason=_reason(found, point),
        found=found,
    )


def _verdict(found: Found, credit: float, deducted: float) -> Verdict:
    if found.state is State.CONTRADICTED or (deducted and not credit):
        return Verdict.CONTRADICTED
    if credit >= 1.0:
        return Verdict.MET
    return Verdict.PARTIAL if credit >= 0.2 else Verdict.UNMET


def _reason(found: Found, point: CompiledPoint) -> str:
    """One line for an interviewer; names what was found, never more of the rubric than that."""
    words = ", ".join(f"“{word}”" for word in found.words)
    if found.misconceptions:
        said: CompiledContradiction = found.misconceptions[0][0]
        return f"misconception: {said.contradiction.says.en}"
    if found.state is State.CONTRADICTED:
        return f"said, but denied or turned round: {words}"
    if found.state is State.NONE:
        return "close in wording, but no key statement found" if found.similarity >= 0.4 else "not found"
    if found.state is State.MET:
        return f"found together: {words}"
    needed = f"{len(found.words)} of {point.point.needed} parts found"
    return f"{needed}, far apart: {words}" if found.state is State.SCATTERED else f"{needed}: {words}"


def quote(document: Document, span: tuple[int, int]) -> Evidence:
    """The candidate's own words around the tokens of `span`, widened to whole clauses, with offsets in the original."""
    tokens = document.tokens
    start, end = span[0], span[1] - 1
    while start and tokens[start - 1].clause == tokens[start].clause:
        start -= 1
    while end + 1 < len(tokens) and tokens[end + 1].clause == tokens[end].clause:
        end += 1
    first, last = document.folded.span(tokens[start].start, tokens[end].end)
    if last - first > _QUOTE_CHARS:
        first, last = document.folded.span(tokens[span[0]].start, tokens[span[1] - 1].end)
        last = min(last, first + _QUOTE_CHARS)
    return Evidence(quote=document.folded.original[first:last], start=first, end=last)


def _share(rubric: CompiledRubric, points: Iterable[PointGrade]) -> float:
    weights = {row.point.id: row.point.weight for row in rubric.points}
    return round(sum(weights[point.id] * point.credit for point in points) / rubric.rubric.weight, 6)


def _capped(points: tuple[PointGrade, ...], share: float, flags: list[Flag]) -> tuple[PointGrade, ...]:
    """The points scaled down, all alike, to the lowest cap of the flags."""
    cap = min((CAPS[flag] for flag in flags if flag in CAPS), default=1.0)
    if share <= cap:
        return points
    return tuple(dataclasses.replace(point, credit=floor(point.credit * cap / share * 1e4) / 1e4) for point in points)
