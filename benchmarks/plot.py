"""Draws what measurements left in a folder, as one picture with a panel for each: `python -m benchmarks.plot [DIR]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.machine import ROOT

OURS, OTHERS, PALE = "#3b6fb6", "#8a8f98", "#c9d6ea"


def draw(folder: Path) -> Path:
    """Writes bench.svg into `folder` and gives its path; a measurement that is not there has no panel."""
    found = [(title, panel, folder / name) for name, title, panel in PANELS if (folder / name).exists()]
    figure = Figure(figsize=(11, 3.1 * ((len(found) + 1) // 2) + 0.3), layout="constrained")
    for place, (title, panel, path) in enumerate(found, 1):
        axes = figure.add_subplot((len(found) + 1) // 2, 2, place)
        axes.set_title(title, loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        panel(axes, json.loads(path.read_text(encoding="utf-8")))
    target = folder / "bench.svg"
    figure.savefig(target)
    return target


def _overhead(axes: Axes, figures: dict[str, Any]) -> None:
    tasks = list(figures["grading"])
    rows = [figures["grading"][task] for task in tasks]
    bare = [row["bare_cpu_s"]["median"] for row in rows]
    axes.barh(tasks, bare, color=PALE, label="the same calls, bare")
    over = [row["overhead_cpu_s"] for row in rows]
    axes.barh(tasks, over, left=bare, color=OURS, label="grader adds")
    for place, (left, value) in enumerate(zip(bare, over, strict=True)):
        axes.text(left + max(value, 0), place, f" {value:+.1f} s", va="center")  # less than nothing is noise
    _finish(axes, "CPU seconds", max(a + b for a, b in zip(bare, over, strict=True)))
    axes.legend(frameon=False, fontsize=8)


def _sharing(axes: Axes, figures: dict[str, Any]) -> None:
    for task, rows in figures["grading"].items():
        bars = axes.barh(
            [f"{task}, {jobs} slot{'s' * (jobs != '1')}" for jobs in rows],
            [row["grade_wall_s"]["median"] for row in rows.values()],
            color=[PALE, *[OURS] * (len(rows) - 1)],
        )
        axes.bar_label(bars, [f" {row['grade_cpu_s']['median']:.0f} CPU s" for row in rows.values()])
    tasks = figures["grading"].values()
    _finish(axes, "wall seconds", max(row["grade_wall_s"]["median"] for rows in tasks for row in rows.values()))


def _batch(axes: Axes, figures: dict[str, Any]) -> None:
    rows = figures["runs"]
    names = [f"{row['slots']} slot{'s' * (row['slots'] > 1)}" for row in rows]
    axes.barh([f"{name}, ideal" for name in names], [row["ideal_wall_s"] for row in rows], color=PALE)
    bars = axes.barh(names, [row["wall_s"] for row in rows], color=OURS)
    axes.bar_label(bars, [f" {100 * row['of_the_ideal']:.0f} % of the ideal" for row in rows])
    _finish(axes, "wall seconds", max(row["wall_s"] for row in rows))


def _peers(axes: Axes, figures: dict[str, Any]) -> None:
    rows = figures["runs"]
    each = [row["submissions"] / row["wall_s"] for row in rows]
    colours = [OURS if row["tool"].startswith("grader") else OTHERS for row in rows]
    bars = axes.barh([row["tool"] for row in rows], each, color=colours)
    axes.bar_label(bars, [f" {value:.2f}" for value in each])
    _finish(axes, "tiny submissions a second", max(each))


def _memory(axes: Axes, figures: dict[str, Any]) -> None:
    rows = figures["runs"]
    counts, peaks = [row["submissions"] for row in rows], [row["peak_mib"] for row in rows]
    axes.plot(counts, peaks, "o-", color=OURS)
    for count, peak in zip(counts, peaks, strict=True):
        axes.annotate(f"{peak:.0f}", (count, peak), textcoords="offset points", xytext=(0, 6), ha="center", fontsize=8)
    axes.set(xlabel="submissions", ylabel="peak MiB", ylim=(0, 1.3 * max(peaks)))


def _finish(axes: Axes, label: str, largest: float) -> None:
    axes.invert_yaxis()
    axes.set(xlabel=label, xlim=(0, 1.3 * largest))


PANELS: Final[tuple[tuple[str, str, Callable[[Axes, dict[str, Any]], None]], ...]] = (
    ("overhead.json", "Grading a reference", _overhead),
    ("sharing.json", "One task, shared by slots", _sharing),
    ("batch.json", "A batch of the samples", _batch),
    ("peers.json", "Side by side with other tools", _peers),
    ("batch_memory.json", "Memory of the command", _memory),
)

if __name__ == "__main__":
    print(draw(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "out" / "bench"))
