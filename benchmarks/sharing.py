"""What a second slot is worth for one task of one submission, as a table and as out/bench/sharing.json.

    python -m benchmarks.sharing [--times 3] [--slots 2] [--task T ...] [--output FILE]

Each round grades the reference with one slot and with several, one after the other and by one seed, so that their
ratio belongs to one moment of one machine. Needs the Docker engine, the sandbox image and an idle core for each slot.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from benchmarks import machine
from benchmarks.overhead import TASKS
from benchmarks.overhead_grading import grade
from grader.atomic import write_text

NAMES: Final = ("grade_wall_s", "grade_cpu_s")


def main(arguments: list[str]) -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sharing", description="A task shared by slots.")
    parser.add_argument("--times", type=int, default=3, help="rounds for each task (default: 3)")
    parser.add_argument("--slots", type=int, default=2, help="slots beside one alone (default: 2)")
    parser.add_argument("--task", action="append", choices=TASKS, help="whose reference to grade (default: all)")
    parser.add_argument("--output", type=Path, default=machine.ROOT / "out" / "bench" / "sharing.json")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"schema_version": 1, "machine": machine.facts(), "grading": {}}
    print(f"{'task':16} {'slots':>5} {'wall s':>8} {'CPU s':>8} {'wall, 1 slot = 1':>17}")
    for task in options.task or TASKS:
        rows = _measure(task, options.times, (1, options.slots))
        figures["grading"][task] = rows
        for jobs, row in rows.items():
            wall, cpu = (row[name]["median"] for name in NAMES)
            print(f"{task:16} {jobs:>5} {wall:8.1f} {cpu:8.1f} {row['wall_ratio']:17.2f}", flush=True)
    write_text(options.output, json.dumps(figures, indent=2) + "\n")
    print(f"written to {options.output}")
    return 0


def _measure(task: str, times: int, slots: tuple[int, int]) -> dict[str, dict[str, Any]]:
    """By number of slots: wall and CPU seconds, and the median of the rounds' ratios of wall seconds."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        rounds = [{jobs: grade(task, Path(folder), seed, jobs) for jobs in slots} for seed in range(1, times + 1)]
    alone = slots[0]
    return {
        str(jobs): {
            **{name: machine.spread([row[jobs][name] for row in rounds], 3) for name in NAMES},
            "wall_ratio": round(
                statistics.median(row[jobs]["grade_wall_s"] / row[alone]["grade_wall_s"] for row in rounds), 3
            ),
        }
        for jobs in slots
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
