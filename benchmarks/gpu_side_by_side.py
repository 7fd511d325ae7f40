"""The reference solutions on the CPU and on a GPU, side by side: scores, CPU seconds, wall seconds, device memory.

    python -m benchmarks.gpu_side_by_side [--gpus 0] [--tasks cnn_classifier gan] [--seeds 1 2 3] [--backend docker]
                                          [--output out/bench/gpu.json]

Each seed is graded twice by the real harness, first with `--gpus none`, then with the device, so that both have the
same hidden inputs. The report of every run lies beside the output, with the checks that lost points. Exit status: 0
where every run has full marks, 1 where one has not, and grader's own where a run could not be made.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks.machine import ROOT, facts
from grader.api import grade
from grader.atomic import write_text
from grader.config import load_settings
from grader.errors import GraderError
from grader.model import Report

TASKS: Final = ("cnn_classifier", "transformer", "gan")
COLUMNS: Final = ("task", "seed", "device", "score", "cpu_s", "wall_s", "gpu_mib", "points lost in")


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_side_by_side")
    parser.add_argument("--gpus", default="all", help="as of `grader grade`")
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--backend", choices=("docker", "process"), default="docker")
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "bench" / "gpu.json")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"schema_version": 1, "machine": facts(), "runs": []}
    print(" | ".join(COLUMNS))
    try:
        for task in options.tasks:
            for seed in options.seeds:
                for gpus in ("none", options.gpus):
                    figures["runs"].append(_run(task, seed, gpus, options))
                    print(" | ".join(_cells(figures["runs"][-1])), flush=True)
    except GraderError as error:
        print(f"{error}", file=sys.stderr)
        return error.exit_code
    finally:
        write_text(options.output, json.dumps(figures, indent=2) + "\n")
        write_text(options.output.with_suffix(".md"), _table(figures["runs"]))
    return int(any(row["percent"] < 100 for row in figures["runs"]))


def _run(task: str, seed: int, gpus: str, options: argparse.Namespace) -> dict[str, Any]:
    """Grades the reference of a task once. Raises GraderError, also where it could not be graded."""
    faults: list[GraderError] = []
    settings = replace(load_settings(flags={"gpus": gpus, "backend": options.backend}), seed=seed)
    device = "cpu" if gpus == "none" else "gpu"
    report = grade(
        ROOT / "reference" / task / f"{task}.py",
        [task],
        settings=settings,
        output=options.output.with_suffix("") / f"{task}-{seed}-{device}" / "report.json",
        on_fault=faults.append,
    )
    if faults:
        raise faults[0]
    return {"task": task, "seed": seed, "device": device, **_figures(report)}


def _figures(report: Report) -> dict[str, Any]:
    (task,) = report.tasks
    used = task.resources
    return {
        "percent": task.score.percent,
        "cpu_s": used.cpu_s,
        "wall_s": used.wall_s,
        "gpu_bytes": used.gpu_mem_bytes,
        "host_bytes": used.max_rss_bytes,
        "lost": [f"{row.id} ({row.outcome})" for row in task.checks if row.score.earned < row.score.possible],
        "gpu": report.run.gpu,
    }


def _cells(row: dict[str, Any]) -> list[str]:
    names = [device["name"] for device in (row["gpu"] or {"devices": []})["devices"]]
    return [
        row["task"], str(row["seed"]), ", ".join(names) or "CPU", f"{row['percent']:g} %", f"{row['cpu_s']:.1f}",
        f"{row['wall_s']:.1f}", str(row["gpu_bytes"] // 1024**2) if names else "", ", ".join(row["lost"]),
    ]  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> str:
    """As Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(_cells, rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
