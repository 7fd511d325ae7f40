"""`grader report --format html`: where the pages go. Kept apart from the formats that are one text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.review.results import Result

REPORT = "report.json"


def write_pages(source: Path, output: Path | None, *, lang: str, audience: str) -> str:
    """Writes the pages of OUT and says which file to open. Raises UsageError where they have no place.

    A folder of results gets an index and a page in each submission's folder; one submission gets its page alone.
    """
    from grader.reports.html.site import PAGE, write_page, write_site
    from grader.review.results import find_results

    results = find_results(source)
    folder = output or (source if source.is_dir() else source.parent)
    _refuse_mixing(folder, output, results, audience)
    if not source.is_dir() or (source / REPORT).is_file():
        name = PAGE if output or source.is_dir() or source.name == REPORT else f"{source.stem}.html"
        return f"open {write_page(folder / name, results[0], lang=lang, audience=audience)}"
    pages = write_site(folder, results, lang=lang, audience=audience)
    if audience == "candidate":
        return f"{len(pages)} pages, each for one candidate alone: {folder / '<id>' / PAGE}"
    return f"open {pages[0]}"


def _refuse_mixing(folder: Path, output: Path | None, results: tuple[Result, ...], audience: str) -> None:
    """A candidate's pages never take the place of the interviewer's, nor lie beside what is hidden."""
    if output and output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file", hint="pages go into a folder: -o FOLDER")
    homes = {home.resolve() for each in results for home in (each.path.parent, each.path.parent.parent)}
    if audience == "candidate" and (output is None or folder.resolve() in homes):
        raise UsageError("a candidate's pages need a folder of their own", hint="-o FOLDER, not where the results lie")
