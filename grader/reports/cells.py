"""Cells of tables that spreadsheets open: no text of a candidate may become a formula there.

A spreadsheet reads a cell that begins with = + - or @ as a formula, so such a cell gets an apostrophe in front, which
`restored` takes away again (CSV injection, CWE-1236).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from grader.text import sanitize_line

MARK: Final = "\ufeff"
"""The byte order mark: without it a spreadsheet takes Chinese for something else. In front of files, not in pipes."""
_MAX_CELL: Final = 4096
# Full-width forms too, which spreadsheets of Chinese and Japanese systems take alike; and behind a semicolon, at which
# other systems' spreadsheets cut cells. The class before the sign holds the apostrophe, so that nothing is ambiguous.
_FORMULA = re.compile(r"(^|;)(?=[\s']*[=+\-@＝＋－＠])")
_DEFUSED = re.compile(r"(^|;)'(?=[\s']*[=+\-@＝＋－＠])")


def defused(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return _FORMULA.sub(r"\1'", text)


def restored(cell: str) -> str:
    """The text behind `defused`."""
    return _DEFUSED.sub(r"\1", cell)


def number(points: float) -> str:
    """Points as a person writes them."""
    return f"{points:.10g}"


def in_csv(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> str:
    """The rows below a header, comma-separated, lines ended as RFC 4180 has it, each cell on one line and harmless."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: defused(sanitize_line(cell, _MAX_CELL)) for name, cell in row.items()} for row in rows)
    return text.getvalue()
