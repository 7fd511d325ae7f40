"""How a written report may look; a writer takes what its format can use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Language ("en" or "zh"), and what a terminal offers."""

    lang: str = "en"
    color: bool = False
    width: int = 100
    leaderboard: bool = False
    """For a platform that ranks submissions by name: the candidate's name and score go there only where asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a page of text offers to its parts: its language, its colours, its lines."""

    lang: str
    paint: Callable[[str, str], str]
    wrap: Callable[[str, str], Iterable[str]]
    columns: Callable[[str], int]
    """The terminal columns that a text takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A record of a stored result (an interviewer's, or a candidate's copy), and the folder with its artifacts."""

    record: Json
    folder: Path


class Writer(Protocol):
    """`document` of a format, which every one has: from one record to text."""

    def __call__(self, record: Json, look: Look, /) -> str:
        """The whole document."""


class ManyWriter(Protocol):
    """`documents` of a format that puts any number of submissions into one text."""

    def __call__(self, records: Sequence[Json], look: Look, /) -> str:
        """The whole document, the submissions in the order given."""


class FolderWriter(Protocol):
    """`files` of a format that is a folder where there are many submissions."""

    def __call__(self, results: Sequence[Stored], look: Look, /) -> Mapping[str, str | bytes]:
        """The files by their path below the folder; paths are ours, made of ids alone."""
