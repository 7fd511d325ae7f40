"""Writes the pages: `index.html` over all submissions, and `<id>/index.html` for each.

Pages are made from stored results and can be made again at any time. A candidate's pages are made from the candidate's
copy of the record and know nothing of one another: there is no index over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from grader.atomic import write_text
from grader.errors import UsageError
from grader.model import Json
from grader.reports.audience import for_candidate
from grader.reports.html.candidate import candidate_page
from grader.reports.html.index import index_page

PAGE: Final = "index.html"
_NO_FOLDERS: Final = frozenset({".", "..", PAGE})


class Stored(Protocol):
    """What a page is made from; `grader.review.results.Result` is one."""

    @property
    def path(self) -> Path:
        """Of the report; the pictures lie beside it."""

    @property
    def id(self) -> str:
        """Of the submission."""

    @property
    def view(self) -> Json:
        """The record, with what people decided."""


def write_site(out: Path, results: Sequence[Stored], *, lang: str, audience: str) -> list[Path]:
    """Writes all pages below `out` and gives their paths; for interviewers the index comes first.

    Raises UsageError where a place cannot be written, or an id cannot be a folder.
    """
    if audience == "candidate":
        return [_write(out / _folder(each) / PAGE, each, for_candidate(each.view), lang) for each in results]
    pages: list[Path] = []

    def views() -> Iterator[Json]:
        """Each record, once its own page is written: it may be read from a disk, and is needed for both."""
        for result in results:
            view = result.view
            pages.append(_write(out / _folder(result) / PAGE, result, view, lang, home="../" + PAGE))
            yield view

    write_text(out / PAGE, index_page(views(), lang=lang))
    return [out / PAGE, *pages]


def write_page(target: Path, result: Stored, *, lang: str, audience: str) -> Path:
    """Writes the page of one submission to the file `target`."""
    return _write(target, result, for_candidate(result.view) if audience == "candidate" else result.view, lang)


def _write(target: Path, result: Stored, record: Json, lang: str, home: str = "") -> Path:
    """`home` is the index's address, if any."""
    write_text(target, candidate_page(record, result.path.parent, lang=lang, home=home))
    return target


def _folder(result: Stored) -> str:
    if result.id in _NO_FOLDERS:
        raise UsageError(f"{result.path}: no folder can be named {result.id!r}", hint="rename the submission")
    return result.id
