"""Reads a submitted notebook inside the sandbox: its cells' sources and nothing else of it.

Stored outputs, metadata, kernel names, trust and widgets are ignored. Formats 4.x and 3 (worksheets) are read,
with a source as one string or as a list of lines. Whatever is no notebook ends with one clear line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.worker.loading import CannotLoad

MAX_NOTEBOOK_BYTES = 10 * 1024**2
MAX_CODE_CELLS = 1000
MAX_CELLS = 5000
_OLD_NAMES = {"heading": "markdown", "html": "markdown", "text": "raw"}


@dataclass(frozen=True)
class Cell:
    """One cell. `number` counts code cells from 1, blank ones included; 0 for text."""

    kind: str
    source: str
    number: int = 0

    @property
    def runs(self) -> bool:
        """True for a code cell with something in it."""
        return self.kind == "code" and bool(self.source.strip())


def read_notebook(path: Path) -> list[Cell]:
    """The cells of the notebook at `path`, in order. Raises CannotLoad."""
    try:
        data = path.read_bytes()
        if len(data) > MAX_NOTEBOOK_BYTES:
            raise CannotLoad(f"{path.name} is larger than {MAX_NOTEBOOK_BYTES} bytes")
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError, MemoryError):
        raise CannotLoad(f"{path.name} is not a notebook: it is not JSON") from None
    except OSError as error:
        raise CannotLoad(f"{path.name} cannot be read: {type(error).__name__}") from None
    return _cells(content, path.name)


def _cells(content: Any, name: str) -> list[Cell]:
    raw = _raw_cells(content)
    if raw is None:
        raise CannotLoad(f"{name} is not a notebook: it has no list of cells (format 3 and 4 are read)")
    if len(raw) > MAX_CELLS:
        raise CannotLoad(f"{name} has {len(raw)} cells, at most {MAX_CELLS} are read")
    cells, number = [], 0
    for position, item in enumerate(raw, 1):
        kind, source = _kind(item), _source(item)
        if kind is None or source is None:
            raise CannotLoad(f"{name} is not a notebook: its cell {position} has no type or no source text")
        number += kind == "code"
        cells.append(Cell(kind, source, number if kind == "code" else 0))
    if not any(cell.runs for cell in cells):
        raise CannotLoad(f"{name} has no code cells")
    if number > MAX_CODE_CELLS:
        raise CannotLoad(f"{name} has {number} code cells, at most {MAX_CODE_CELLS} are executed")
    return cells


def _raw_cells(content: Any) -> list[Any] | None:
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("cells"), list):
        return list(content["cells"])
    sheets = content.get("worksheets")
    if not isinstance(sheets, list) or not all(isinstance(sheet, dict) for sheet in sheets):
        return None
    found = [sheet.get("cells") for sheet in sheets]
    return [cell for cells in found for cell in cells] if all(isinstance(cells, list) for cells in found) else None


def _kind(item: Any) -> str | None:
    kind = item.get("cell_type") if isinstance(item, dict) else None
    kind = _OLD_NAMES.get(kind, kind) if isinstance(kind, str) else None
    return kind if kind in ("code", "markdown", "raw") else None


def _source(item: Any) -> str | None:
    source = item.get("source", item.get("input")) if isinstance(item, dict) else None
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source.encode("utf-8", "replace").decode("utf-8") if isinstance(source, str) else None
