"""The review as a table for a spreadsheet: a row for each place, comma-separated, UTF-8.

Cells hold what candidates wrote: `reports.cells` makes them harmless. Nothing of a table is ever evaluated.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.errors import UsageError
from grader.model import Json
from grader.reports import cells
from grader.reports.cells import defused as defused
from grader.reports.cells import number as number
from grader.reports.cells import restored as restored
from grader.reports.reviewed import places
from grader.review.results import Result
from grader.text import sanitize_line, shorten

COLUMNS: Final = (
    "submission", "task", "question", "point", "title", "review", "verdict", "earned", "possible", "quote", "flags",
    "llm_verdict", "human_points", "reason", "reviewer", "version",
)  # fmt: skip
NEEDED: Final = ("submission", "question", "point", "human_points", "reason")
"""The columns without which a table cannot be read back."""
UNANSWERED: Final = "unanswered"
"""The flag of a question without an answer."""
_MAX_BYTES: Final = 64 * 1024**2
_MAX_QUOTE: Final = 1000


def version(record: Json) -> str:
    """Marks which bytes of a submission a row is about; the prefix keeps a spreadsheet from reading a number."""
    return f"sha256:{record['submission']['sha256'][:12]}"


Cells = dict[str, str]
"""By column."""


def to_rows(results: Iterable[Result], lang: str = "en") -> list[Cells]:
    """All places of all results: those that need a review and have none yet, the others, and what nobody answered."""
    rows = [row for result in results for row in _rows(result, lang)]
    rows.sort(key=lambda row: (row["review"] != "needed", UNANSWERED in row["flags"]))  # stable: else as in the report
    return rows


def in_csv(rows: Iterable[Cells]) -> str:
    """The rows below a header, each cell harmless."""
    return cells.in_csv(rows, COLUMNS)


def _rows(result: Result, lang: str) -> Iterator[Cells]:
    questions = {(task["task"], row["id"]): row for task in result.record["tasks"] for row in task["questions"]}
    humans = {place: row for place, row in places(result.view).items() if row.get("human")}
    for place, row in result.places.items():
        question = questions.get((place.task, place.question))
        human = humans[place]["human"] if place in humans else None
        yield {
            "submission": result.id,
            "task": place.task,
            "question": place.question,
            "point": place.item,
            "title": (row["title_zh"] if lang == "zh" else "") or row["title"],
            "review": "done" if human else "needed" if question and question["needs_review"] else "",
            "earned": number(row["earned"]),
            "possible": number(row["possible"]),
            "human_points": number(human["points"]) if human else "",
            "reason": human["reason"] if human else "",
            "reviewer": human["reviewer"] if human else "",
            "version": version(result.record),
            **(_point(row, question) if question else _check(row)),
        }


def _point(point: Json, question: Json) -> Cells:
    opinion = point["llm"]
    return {
        "verdict": point["verdict"],
        "quote": shorten(" | ".join(row["quote"] for row in point["evidence"]), _MAX_QUOTE),
        "flags": ", ".join(question["flags"]),
        "llm_verdict": "" if not opinion else "no verdict" if opinion["error"] else opinion["verdict"],
    }


def _check(check: Json) -> Cells:
    """Of a code check: how it ended, and what was expected and came instead of a quote."""
    return {
        "verdict": check["outcome"],
        "quote": shorten(check["message"], _MAX_QUOTE),
        "flags": "",
        "llm_verdict": "",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table that came back: its number, and its cells by column, clean; a column left out is ""."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    cells: Mapping[str, str]
    overlong: bool = False
    """True where it has more cells than the header: a comma that nobody quoted."""


def read_table(path: Path) -> list[Row]:
    """The rows that are not blank. Raises UsageError where the file is no such table."""
    text = _text(path)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)  # spreadsheets write their own country's
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UsageError(f"{path} is not a table of comma-separated values: {sanitize_line(str(error))}") from error
    header = [restored(cell).strip().lower() for cell in lines[0]] if lines else []
    lacking = [name for name in NEEDED if name not in header]
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if lacking or twice:
        problem = f"has no column {lacking[0]!r}" if lacking else f"has two columns {twice[0]!r}"
        raise UsageError(f"{path} {problem}", hint="begin with `grader review OUT --export FILE.csv`")
    return [
        _row(number, line, header)
        for number, line in enumerate(lines[1:], start=2)
        if any(cell.strip() for cell in line)
    ]


def _row(number: int, line: list[str], header: list[str]) -> Row:
    cells = dict.fromkeys(COLUMNS, "") | {
        name: restored(sanitize_line(cell, len(cell))) for name, cell in zip(header, line, strict=False)
    }
    overlong = any(cell.strip() for cell in line[len(header) :])
    return Row(number=number, cells=cells, overlong=overlong)


def _text(path: Path) -> str:
    """The file's text: UTF-8 with or without a mark at the start, or UTF-16 with one, as spreadsheets save it."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is longer than {_MAX_BYTES // 1024**2} MiB", hint="import it in parts")
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not in UTF-8", hint='save it as "CSV UTF-8"') from error
