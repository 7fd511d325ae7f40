"""Draws the pictures of a run with matplotlib: SVG for lines and text, PNG for images. The same data, the same bytes.

matplotlib costs a quarter of a second to import, so this module is only loaded where a report is written. Margins are
worked out from the lengths of names: a layout engine draws everything twice to find them.
"""

from __future__ import annotations

import io
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

import matplotlib as mpl
import matplotlib.artist
import numpy as np

# Docstrings that nobody reads here take half of the time of the imports below.
matplotlib.artist.kwdoc = lambda artist: ""  # noqa: ARG005

from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.lines import Line2D  # noqa: E402
from matplotlib.ticker import MaxNLocator  # noqa: E402

from grader.judge.evidence import Floats, Picture  # noqa: E402
from grader.model import ArtifactFile  # noqa: E402
from grader.text import columns_of  # noqa: E402

MAX_BYTES: Final = 2 * 1024**2
IMAGES_A_ROW: Final = 16
CHARACTERS_AN_INCH: Final = 10
"""That fit at the size of the text, unless all of them are wide."""
LINE: Final = 0.17
"""Inches from one line of text to the next."""
SPACING: Final = 1.3
"""The same, over the height of a table's letters."""


def draw_all(pictures: Iterable[Picture]) -> tuple[ArtifactFile, ...]:
    """The files of all pictures. One that cannot be drawn is left out and logged: no picture is worth a score."""
    files = []
    with _style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # of a script that only the reader's font has; its width is a guess
        for picture in pictures:
            try:
                file = draw(picture)
            except Exception:  # noqa: BLE001 - whatever a drawing library makes of odd numbers
                traceback.print_exc()
                continue
            if len(file.content) <= MAX_BYTES:
                files.append(file)
    return tuple(files)


def _style() -> AbstractContextManager[None]:
    return mpl.rc_context(
        {
            "svg.hashsalt": "grader",  # ids that do not change from run to run
            "svg.fonttype": "none",  # text stays text: it can be searched, in any script, and takes half of the room
            "text.parse_math": False,  # a dollar sign is a dollar sign
            "font.size": 9.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    )


def draw(picture: Picture) -> ArtifactFile:
    """One picture as a file."""
    figure = _FIGURES[picture.kind](picture)
    png = picture.kind == "images"
    buffer = io.BytesIO()
    nothing_about_us = {"Software": None} if png else {"Date": None, "Creator": None}
    figure.savefig(buffer, format="png" if png else "svg", metadata=nothing_about_us)
    return ArtifactFile(
        name=picture.name,
        media_type="image/png" if png else "image/svg+xml",
        suffix=".png" if png else ".svg",
        content=buffer.getvalue(),
    )


def _axes(
    picture: Picture, size: tuple[float, float], *, left: float = 0.7, bottom: float = 0.5
) -> tuple[Figure, Axes]:
    """One pair of axes under its title; `left` and `bottom` are inches for what is written there."""
    figure = Figure(figsize=size)
    axes = figure.subplots()
    title = textwrap.fill(picture.title, max(int(size[0] * CHARACTERS_AN_INCH), 20))
    axes.set(xlabel=picture.x, ylabel=picture.y)
    _entitle(figure, title)
    _place(figure, left=left, right=0.15, bottom=bottom, top=0.2 + LINE * len(title.splitlines()))
    return figure, axes


def _entitle(figure: Figure, title: str) -> None:
    """Writes the title just below the upper edge."""
    figure.suptitle(title, y=1 - 0.08 / figure.get_figheight())


def _place(figure: Figure, *, left: float, right: float, bottom: float, top: float) -> None:
    """Leaves these inches around the axes."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(left / width, bottom / height, 1 - right / width, 1 - top / height)


def _inches(names: Iterable[str]) -> float:
    """The length of the longest name."""
    return max(map(columns_of, names), default=0) / CHARACTERS_AN_INCH


def _below(names: Sequence[str], room: float) -> float:
    """Inches for names below columns, upright where they would run into each other on `room` inches; else 0."""
    crowded = sum(columns_of(name) + 1 for name in names) > room * CHARACTERS_AN_INCH
    return _inches(names) if crowded else 0.0


def _name_columns(axes: Axes, names: Sequence[str], below: float) -> None:
    """Names below the columns; upright where `_below` asks for room."""
    axes.set_xticks(np.arange(len(names)), names, rotation=90 if below else 0)


def _curves(picture: Picture) -> Figure:
    figure, axes = _axes(picture, (5.0, 3.2))
    for label, values in picture.series.items():
        axes.plot(np.arange(len(values)), values, label=label, marker="o" if len(values) <= 30 else "", markersize=3)
    if len(picture.series) > 1:
        axes.legend(frameon=False)
    axes.grid(alpha=0.3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure


def _bars(picture: Picture) -> Figure:
    names, places = picture.columns, np.arange(len(picture.columns))
    below = _below(names, 4.2)
    figure, axes = _axes(picture, (5.0, 3.2 + below), bottom=0.5 + below)
    width = 0.8 / len(picture.series)
    for index, (label, values) in enumerate(picture.series.items()):
        axes.bar(places + (index - (len(picture.series) - 1) / 2) * width, np.nan_to_num(values), width, label=label)
    _name_columns(axes, names, below)
    if len(picture.series) > 1:
        axes.legend(frameon=False)
    return figure


def _matrix(picture: Picture) -> Figure:
    values = next(iter(picture.series.values()))
    height, width = values.shape
    columns = picture.columns if len(picture.columns) == width else ()
    rows = picture.rows if len(picture.rows) == height else ()
    across, down = min(max(width, 10), 24) * 0.32, min(max(height, 6), 24) * 0.32
    left, below = 0.6 + _inches(rows), _below(columns, across)
    figure, axes = _axes(picture, (left + across + 1.0, down + below + 1.0), left=left, bottom=0.5 + below)
    shown = axes.imshow(values, cmap="Blues", aspect="auto")
    figure.colorbar(shown, ax=axes, shrink=0.8)
    if columns:
        _name_columns(axes, columns, below)
    if rows:
        axes.set_yticks(np.arange(height), rows)
    if picture.annotate and values.size <= 400:
        _write_numbers(axes, values)
    return figure


def _write_numbers(axes: Axes, values: Floats) -> None:
    """Each number in its cell, white on dark."""
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value) and value != 0:
            color = "white" if value > middle else "black"
            axes.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=7, color=color)


def _images(picture: Picture) -> Figure:
    blocks = {label: _grid(images) for label, images in picture.series.items()}
    heights = [6.0 * grid.shape[0] / grid.shape[1] for grid in blocks.values()]
    figure = Figure(figsize=(6.4, 0.4 + sum(heights) + 0.35 * len(heights)))
    _entitle(figure, picture.title)
    rows = figure.subplots(len(blocks), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    figure.subplots_adjust(hspace=0.35 * len(heights) / sum(heights))
    _place(figure, left=0.2, right=0.2, bottom=0.05, top=0.7)
    for axes, (label, grid) in zip(rows, blocks.items(), strict=True):
        axes.imshow(grid, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(label, loc="left", fontsize=9, pad=3)
        axes.set_axis_off()
    return figure


def _grid(images: Floats) -> Floats:
    """(N, H, W) -> one picture with `IMAGES_A_ROW` images a row and white lines between them."""
    count, height, width = images.shape
    lines = -(-count // IMAGES_A_ROW)
    grid = np.ones((lines * (height + 1) - 1, IMAGES_A_ROW * (width + 1) - 1))
    for index, image in enumerate(np.nan_to_num(images)):
        top, left = index // IMAGES_A_ROW * (height + 1), index % IMAGES_A_ROW * (width + 1)
        grid[top : top + height, left : left + width] = image
    return grid


def _table(picture: Picture) -> Figure:
    """Columns of text under a line: one text for each column, which is ten times as fast as a table's cells."""
    columns = [[name, *cells] for name, *cells in zip(picture.columns, *picture.cells, strict=True)]
    widths = [_inches(column) + 0.25 for column in columns]
    figure = Figure(figsize=(max(sum(widths), _inches([picture.title])) + 0.4, 0.7 + LINE * len(columns[0])))
    width, height = figure.get_size_inches()
    _entitle(figure, picture.title)
    left, top = 0.2, 1 - 0.4 / height
    for (head, *cells), inches in zip(columns, widths, strict=True):
        figure.text(left / width, top, head, va="top", fontsize=8, weight="bold")
        figure.text(
            left / width, top - 1.4 * LINE / height, "\n".join(cells), va="top", fontsize=8, linespacing=SPACING
        )
        left += inches
    across = [0.2 / width, 1 - 0.2 / width]
    figure.add_artist(Line2D(across, [top - 1.1 * LINE / height] * 2, color="0.7", linewidth=0.8))
    return figure


_FIGURES: Mapping[str, Callable[[Picture], Figure]] = {
    "curves": _curves,
    "bars": _bars,
    "matrix": _matrix,
    "images": _images,
    "table": _table,
}
