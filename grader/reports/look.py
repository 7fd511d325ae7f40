"""How a written report may look; a writer takes what its format can use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from grader.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Language ("en" or "zh"), and what a terminal offers."""

    lang: str = "en"
    color: bool = False
    width: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page of text offers to its parts: its language, its colours, its lines."""

    lang: str
    paint: Callable[[str, str], str]
    wrap: Callable[[str, str], Iterable[str]]
    columns: Callable[[str], int]
    """The terminal columns that a text takes."""


class Writer(Protocol):
    """A format: from a record (an interviewer's, or a candidate's copy) to text."""

    def __call__(self, record: Json, look: Look, /) -> str:
        """The whole document."""
