"""Draws the pictures of a run with matplotlib: SVG for lines and text, PNG for images. The same data, the same bytes.

matplotlib costs a third of a second to import, so this module is only loaded where a report is written.
"""

from __future__ import annotations

import io
import textwrap
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from grader.judge.evidence import Floats, Picture
from grader.model import ArtifactFile

MAX_BYTES: Final = 2 * 1024**2
IMAGES_A_ROW: Final = 16
CHARACTERS_AN_INCH: Final = 11
"""That fit at the size of the text."""


def draw_all(pictures: Iterable[Picture]) -> tuple[ArtifactFile, ...]:
    """The files of all pictures. One that cannot be drawn is left out and logged: no picture is worth a score."""
    files = []
    with _style():
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
            "svg.fonttype": "path",
            "text.parse_math": False,  # a dollar sign is a dollar sign
            "font.size": 9.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.constrained_layout.use": True,
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


def _axes(picture: Picture, size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size)
    axes = figure.subplots()
    title = textwrap.fill(picture.title, max(int(size[0] * CHARACTERS_AN_INCH), 20))
    axes.set(title=title, xlabel=picture.x, ylabel=picture.y)
    return figure, axes


def _name_columns(axes: Axes, names: Sequence[str], width: float) -> None:
    """Names below the columns, upright where they would run into each other; `width` is the figure's, in inches."""
    crowded = sum(len(name) + 1 for name in names) > width * CHARACTERS_AN_INCH
    axes.set_xticks(np.arange(len(names)), names, rotation=90 if crowded else 0)


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
    figure, axes = _axes(picture, (5.0, 3.2))
    places, width = np.arange(len(picture.columns)), 0.8 / len(picture.series)
    for index, (label, values) in enumerate(picture.series.items()):
        axes.bar(places + (index - (len(picture.series) - 1) / 2) * width, np.nan_to_num(values), width, label=label)
    _name_columns(axes, picture.columns, 5.0)
    if len(picture.series) > 1:
        axes.legend(frameon=False)
    return figure


def _matrix(picture: Picture) -> Figure:
    values = next(iter(picture.series.values()))
    height, width = values.shape
    size = (2.2 + min(max(width, 6), 24) * 0.32, 1.4 + min(max(height, 6), 24) * 0.32)
    figure, axes = _axes(picture, size)
    shown = axes.imshow(values, cmap="Blues", aspect="auto")
    figure.colorbar(shown, ax=axes, shrink=0.8)
    if len(picture.columns) == width:
        _name_columns(axes, picture.columns, size[0] - 1.5)
    if len(picture.rows) == height:
        axes.set_yticks(np.arange(height), picture.rows)
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
    heights = [grid.shape[0] for grid in blocks.values()]
    figure = Figure(figsize=(6.4, 0.6 + sum(0.35 + 6.0 * grid.shape[0] / grid.shape[1] for grid in blocks.values())))
    figure.suptitle(picture.title)
    for axes, (label, grid) in zip(
        figure.subplots(len(blocks), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0],
        blocks.items(),
        strict=True,
    ):
        axes.imshow(grid, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(label, loc="left", fontsize=9)
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
    figure = Figure(figsize=(7.2, 0.7 + 0.26 * (len(picture.cells) + 1)))
    axes = figure.subplots()
    axes.set_axis_off()
    axes.set_title(picture.title, fontsize=9)
    cells = [list(row) for row in picture.cells]
    table = axes.table(cellText=cells, colLabels=list(picture.columns), loc="upper center", cellLoc="left")
    table.auto_set_font_size(value=False)
    table.set_fontsize(8)
    table.auto_set_column_width(list(range(len(picture.columns))))
    return figure


_FIGURES: Mapping[str, Callable[[Picture], Figure]] = {
    "curves": _curves,
    "bars": _bars,
    "matrix": _matrix,
    "images": _images,
    "table": _table,
}
