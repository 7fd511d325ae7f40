"""The answer's text with the passages that points rest on, cut into pieces that a template only has to escape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from grader.model import Json

OFFLINE, MODEL = "offline", "llm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A passage: characters `start` to `end` (exclusive) of the answer, for point number `point`."""

    start: int
    end: int
    point: int
    by: str
    """OFFLINE or MODEL: who quotes it."""
    verdict: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of the answer that the same spans cover; `ends`: the numbers of the points whose passage ends with it."""

    text: str
    points: tuple[int, ...] = ()
    by: tuple[str, ...] = ()
    verdict: str = ""
    """Of the first of the points."""
    ends: tuple[int, ...] = ()


def exact_spans(question: Json) -> list[Span]:
    """The offline grader's passages that are where their offsets say, so that no other words are highlighted."""
    answer = question["answer"]
    return [
        Span(start=row["start"], end=row["end"], point=number, by=OFFLINE)
        for number, point in enumerate(question["points"], start=1)
        for row in point["evidence"]
        if row["start"] < row["end"] and answer[row["start"] : row["end"]] == row["quote"]
    ]


def spans_of(question: Json) -> list[Span]:
    """The passages of an answer; one whose quote is not there is left out."""
    return [
        span
        for number, point in enumerate(question["points"], start=1)
        for by, rows in ((OFFLINE, point["evidence"]), (MODEL, (point["llm"] or {}).get("evidence", ())))
        for row in rows
        if (span := _span(row, question["answer"], Span(start=0, end=0, point=number, by=by, verdict=point["verdict"])))
    ]


def _span(row: Json, answer: str, span: Span) -> Span | None:
    """The passage by its offsets, where they hold; else the first place of its words."""
    start, end = row["start"], row["end"]
    if not row["quote"] or answer[start:end] != row["quote"]:
        start = answer.find(row["quote"]) if row["quote"] else -1
        end = start + len(row["quote"])
    if start < 0:
        return None
    return Span(start=start, end=end, point=span.point, by=span.by, verdict=span.verdict)


def pieces_of(answer: str, spans: Sequence[Span]) -> list[Piece]:
    """The whole answer in pieces, which joined give it back."""
    cuts = sorted({0, len(answer), *(span.start for span in spans), *(span.end for span in spans)})
    return [_piece(answer, start, end, spans) for start, end in pairwise(cuts)]


def _piece(answer: str, start: int, end: int, spans: Iterable[Span]) -> Piece:
    covering = sorted((s for s in spans if s.start <= start and end <= s.end), key=lambda s: (s.by != OFFLINE, s.point))
    return Piece(
        text=answer[start:end],
        points=tuple(dict.fromkeys(span.point for span in covering)),
        by=tuple(dict.fromkeys(span.by for span in covering)),
        verdict=covering[0].verdict if covering else "",
        ends=tuple(dict.fromkeys(sorted(span.point for span in covering if span.end == end))),
    )
