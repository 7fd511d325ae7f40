"""The pictures beside a report, as part of its page. Whatever a file holds, it can only be looked at.

A picture goes into an <img> as a data address: there an SVG runs no script and loads nothing. A path that leaves the
report's folder, a link, a file of another kind or size: left out and named.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.model import Json

MAX_BYTES: Final = 2 * 1024**2
"""Of one picture, as those that draw them hold to."""
MAX_PAGE_BYTES: Final = 16 * 1024**2
_STARTS: Final = {"image/png": (b"\x89PNG\r\n\x1a\n",), "image/svg+xml": (b"<?xml", b"<svg")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture of a task, or another file beside the report (`data` is then empty)."""

    name: str
    path: str
    data: str = ""


def figures(record: Json, folder: Path) -> dict[str, tuple[Figure, ...]]:
    """For each task the files that its report names; `folder` is the one that the report lies in."""
    left = MAX_PAGE_BYTES
    found: dict[str, tuple[Figure, ...]] = {}
    for task in record["tasks"]:
        rows = []
        for artifact in task["artifacts"]:
            data = _data(artifact, folder, min(left, MAX_BYTES))
            left -= len(data)
            rows.append(Figure(name=artifact["name"], path=artifact["path"], data=data))
        found[task["task"]] = tuple(rows)
    return found


def _data(artifact: Json, folder: Path, limit: int) -> str:
    """A picture as a data address; "" where it is no picture, or not there, or too large."""
    starts = _STARTS.get(artifact["media_type"])
    content = _read(artifact["path"], folder, limit) if starts else b""
    if not starts or not content.startswith(starts):
        return ""
    return f"data:{artifact['media_type']};base64,{base64.b64encode(content).decode()}"


def _read(path: str, folder: Path, limit: int) -> bytes:
    """The bytes of a regular file below `folder`, no link on the way and no step up; nothing where it is larger."""
    file = folder / path
    try:
        inside = file.resolve(strict=True) == folder.resolve(strict=True) / path
        return file.read_bytes() if inside and file.is_file() and file.stat().st_size <= limit else b""
    except (OSError, ValueError):
        return b""
