"""Writes the pages: `index.html` over all submissions, and `<id>/index.html` for each.

Pages are made from stored results and can be made again at any time. A candidate's pages are made from the candidate's
copy of the record and know nothing of one another: there is no index over them.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    for result in results:
        if result.id in _NO_FOLDERS:
            raise UsageError(f"{result.path}: no folder can be named {result.id!r}", hint="rename the submission")
    index = [] if audience == "candidate" else [_write_index(out / PAGE, results, lang)]
    home = "../" + PAGE if index else ""
    pages = [write_page(out / each.id / PAGE, each, lang=lang, audience=audience, home=home) for each in results]
    return index + pages


def write_page(target: Path, result: Stored, *, lang: str, audience: str, home: str = "") -> Path:
    """Writes the page of one submission to the file `target`; `home` is the index's address, if any."""
    record = for_candidate(result.view) if audience == "candidate" else result.view
    write_text(target, candidate_page(record, result.path.parent, lang=lang, home=home))
    return target


def _write_index(target: Path, results: Sequence[Stored], lang: str) -> Path:
    write_text(target, index_page((result.view for result in results), lang=lang))
    return target
