"""A written answer cut into pieces, so that a template only has to escape and mark them.

Only passages that are where their offsets say are marked: a page never highlights other words than those that earned.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from grader.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of the answer that the same passages cover."""

    text: str
    points: tuple[int, ...]
    """Numbers of the points that rest on it, from 1; none where it is no evidence."""
    ends: tuple[int, ...]
    """Those of them whose passage ends here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passage:
    start: int
    end: int
    point: int


def pieces(question: Json) -> tuple[Piece, ...]:
    """The whole answer, which the pieces joined give back; none where the report does not hold it."""
    answer: str = question.get("answer", "")
    if not answer:
        return ()
    found = _passages(question, answer)
    cuts = sorted({0, len(answer), *(row.start for row in found), *(row.end for row in found)})
    return tuple(_piece(answer, start, end, found) for start, end in pairwise(cuts))


def _passages(question: Json, answer: str) -> list[_Passage]:
    return [
        _Passage(start=row["start"], end=row["end"], point=number)
        for number, point in enumerate(question["points"], 1)
        for row in point["evidence"]
        if row["start"] < row["end"] and answer[row["start"] : row["end"]] == row["quote"]
    ]


def _piece(answer: str, start: int, end: int, found: list[_Passage]) -> Piece:
    here = [row for row in found if row.start <= start and end <= row.end]
    return Piece(
        text=answer[start:end],
        points=tuple(dict.fromkeys(row.point for row in here)),
        ends=tuple(dict.fromkeys(row.point for row in here if row.end == end)),
    )
