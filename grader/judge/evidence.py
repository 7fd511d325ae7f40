"""What a person would rather look at than read: data of a run that become pictures once the checks have ended.

Here they are only taken, cleaned and capped. Everything may stem from candidate code, so no value can make this fail;
names, titles and labels are the suite's own. `grader.judge.pictures` draws.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.judge.job import MAX_PICTURES
from grader.text import sanitize_line

MAX_POINTS: Final = 2000
MAX_BARS: Final = 64
MAX_SIDE: Final = 64
"""Rows and columns of a matrix, and pixels of an image's side."""
MAX_IMAGES: Final = 64
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 40, 8, 60
MAX_SERIES: Final = 8
LARGEST: Final = 1e12
"""Beyond it axes show nothing; drawing libraries overflow far above it."""

Floats = npt.NDArray[np.float64]
_NAME = re.compile(r"[a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture to be: its `kind` says which of the other fields are used."""

    name: str
    kind: str
    """"curves", "bars", "matrix", "images" or "table"."""
    title: str
    x: str = ""
    y: str = ""
    series: Mapping[str, Floats]
    """By label: (N,) for curves and bars, (H, W) for a matrix, (N, H, W) for images."""
    columns: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()
    annotate: bool = False


class Evidence:
    """The fixture `evidence`. A second picture of one name replaces the first: shared work may be done again."""

    def __init__(self) -> None:
        self._pictures: dict[str, Picture] = {}
        self.rank = 0
        """Which check is running, counted in the order of a run by one judge."""
        self.ranks: dict[str, tuple[int, int]] = {}
        """By name: the first and the last check that kept it."""

    def curves(self, name: str, series: Mapping[str, Any], *, title: str, x: str = "", y: str = "") -> None:
        """Lines over 0, 1, 2 ...; each series is (N,)."""
        self._keep(name, "curves", title, x=x, y=y, series={k: numbers(v, 1, MAX_POINTS) for k, v in series.items()})

    def bars(
        self, name: str, labels: Sequence[str], series: Mapping[str, Any], *, title: str, x: str = "", y: str = ""
    ) -> None:
        """A group of bars for each label; each series is (len(labels),)."""
        cleaned = {key: numbers(values, 1, MAX_BARS) for key, values in series.items()}
        fitting = {key: values for key, values in cleaned.items() if len(values) == len(labels)}
        self._keep(name, "bars", title, x=x, y=y, series=fitting, columns=_texts(labels, MAX_BARS))

    def matrix(  # noqa: PLR0913 - what a heat map says of itself
        self, name: str, values: Any, *, title: str, x: str = "", y: str = "", rows: Sequence[str] = (),
        columns: Sequence[str] = (), annotate: bool = False,
    ) -> None:  # fmt: skip
        """A heat map of (H, W) values; `annotate` writes the numbers into the cells."""
        series = {"": numbers(values, 2, MAX_SIDE)}
        self._keep(
            name, "matrix", title, x=x, y=y, series=series, rows=_texts(rows, MAX_SIDE),
            columns=_texts(columns, MAX_SIDE), annotate=annotate,
        )  # fmt: skip

    def images(self, name: str, blocks: Mapping[str, Any], *, title: str) -> None:
        """Blocks of grey images, each (N, H, W) with values in [0, 1]."""
        cleaned = {key: np.clip(numbers(values, 3, MAX_SIDE), 0.0, 1.0)[:MAX_IMAGES] for key, values in blocks.items()}
        self._keep(name, "images", title, series=cleaned)

    def table(self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]], *, title: str) -> None:
        """Short texts in columns."""
        columns = _texts(header, MAX_COLUMNS)
        cells = tuple(_texts([*map(str, row), *[""] * len(columns)], len(columns)) for row in rows[:MAX_ROWS])
        self._keep(name, "table", title, series={}, columns=columns, cells=cells)

    def pictures(self) -> tuple[Picture, ...]:
        """What was kept and shows something, in the order in which it came."""
        return tuple(self._pictures.values())

    def _keep(self, name: str, kind: str, title: str, *, series: Mapping[str, Floats], **rest: Any) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(f"the name of a picture is lower-case letters, digits and _, not {name!r}")
        shown = {key: values for key, values in list(series.items())[:MAX_SERIES] if np.isfinite(values).any()}
        if (shown or rest.get("cells")) and (name in self._pictures or len(self._pictures) < MAX_PICTURES):
            first, last = self.ranks.get(name, (self.rank, self.rank))
            self.ranks[name] = (min(first, self.rank), max(last, self.rank))
            if self.rank >= last:  # else it is from work that is done again, out of turn
                self._pictures[name] = Picture(name=name, kind=kind, title=title, series=shown, **rest)


def numbers(values: Any, dimensions: int, side: int) -> Floats:
    """`values` as an array of that many dimensions, at most `side` long in each, NaN where not finite; else empty."""
    try:
        array = np.asarray(values)
        array = array.astype(np.float64) if array.dtype.kind in "fiub" else np.empty(0)
    except (ValueError, OverflowError):
        array = np.empty(0)
    if array.ndim != dimensions:
        return np.empty((0,) * dimensions)
    if dimensions == 1 and len(array) > side:  # a long curve keeps its shape, and its end
        array = array[np.linspace(0, len(array) - 1, side).astype(int)]
    array = array[(slice(0, side),) * dimensions]
    result: Floats = np.where(np.isfinite(array), np.clip(array, -LARGEST, LARGEST), np.nan)
    return result


def _texts(values: Sequence[str], limit: int) -> tuple[str, ...]:
    return tuple(sanitize_line(str(value), MAX_CELL) for value in values[:limit])
