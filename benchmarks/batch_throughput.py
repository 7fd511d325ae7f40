"""A batch against the ideal: its wall time and CPU beside the CPU time that the candidates' code used.

    python -m benchmarks.batch_throughput DIR [--slots 1 2] [--task T] [--output FILE]

The ideal for n slots is the candidates' CPU time shared out over n cores. Also measured: the harness's own CPU for each
task that ran (the command and its judges; not the engine), and a second run over an unchanged folder. Wall times mean
something on a machine that does nothing else; the load is recorded.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, facts, timed
from grader.atomic import write_text


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_throughput")
    parser.add_argument("folder", type=Path, nargs="?", default=ROOT / "candidates")
    parser.add_argument("--slots", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--task", action="append", default=[])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "bench" / "batch.json")
    options = parser.parse_args(arguments)
    figures: dict[str, Any] = {"schema_version": 1, "machine": facts(), "runs": []}
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        for slots in options.slots:
            out = Path(folder, str(slots))
            chosen = [part for task in options.task for part in ("--task", task)]
            command = [str(options.folder), "-o", str(out), "-j", str(slots), "--seed", str(options.seed), *chosen]
            figures["runs"].append({"slots": slots, **_run(command, out, slots), "unchanged": _timed(command)})
            print(json.dumps(figures["runs"][-1]), flush=True)
    write_text(options.output, json.dumps(figures, indent=2) + "\n")
    print(f"written to {options.output}")
    return 0


def _run(command: list[str], out: Path, slots: int) -> dict[str, float]:
    measured = _timed(command)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in out.glob("*/report.json")]
    tasks = [task for report in reports for task in report["tasks"] if task["checks"]]
    candidates = sum(task["resources"]["cpu_s"] for task in tasks)
    ideal = candidates / slots
    return {
        "submissions": len(reports),
        "tasks_run": len(tasks),
        "candidates_cpu_s": round(candidates, 1),
        "ideal_wall_s": round(ideal, 1),
        **measured,
        "of_the_ideal": round(ideal / measured["wall_s"], 3),
        "harness_cpu_s_for_each_task": round(measured["harness_cpu_s"] / max(len(tasks), 1), 3),
    }


def _timed(command: list[str]) -> dict[str, float]:
    """Wall and CPU seconds of the command and its judges, which it waits for."""
    wall, cpu = timed([sys.executable, "-m", "grader.cli", "batch", *command, "--quiet"], allowed=(0, 1))
    return {"wall_s": wall, "harness_cpu_s": cpu}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
