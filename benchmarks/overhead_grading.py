"""What `grader grade -j 1` of the reference costs beyond the bare run of the same calls, in CPU seconds.

Each round measures both sides one after the other with one seed, so that the difference belongs to one moment of one
machine. Counted: the command, its judge (children included) and the container's control group. Not counted: what the
engine (dockerd, containerd, the shim) uses on the sandbox's behalf.
"""

from __future__ import annotations

import json
import pickle
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.bare import Recording
from benchmarks.machine import ROOT, cpu_of, python, spread

PARTS = ("command_cpu_s", "judge_cpu_s", "container_cpu_s")


def measure(task: str, times: int) -> dict[str, Any]:
    """Medians of `times` rounds of a task: both sides, their difference, and where the grading's time went."""
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        rounds = [_round(task, Path(folder), seed) for seed in range(1, times + 1)]
    rows = {name: spread([row[name] for row in rounds], 3) for name in rounds[0]}
    overhead = statistics.median(row["grade_cpu_s"] - row["bare_cpu_s"] for row in rounds)
    ratio = statistics.median(row["grade_cpu_s"] / row["bare_cpu_s"] for row in rounds)
    return {**rows, "overhead_cpu_s": round(overhead, 3), "ratio": round(ratio, 3)}


def _round(task: str, folder: Path, seed: int) -> dict[str, float]:
    recording = folder / f"{seed}.calls"
    reference = str(ROOT / "reference" / task / f"{task}.py")
    _require(cpu_of(python("-m", "benchmarks.bare", "record", reference, str(seed), str(recording))))
    bare, bare_wall = _timed("-m", "benchmarks.bare", "replay", str(recording))
    graded = grade(task, folder, seed)
    calls: Recording = pickle.loads(recording.read_bytes())  # noqa: S301 - our own file
    return {
        **graded,
        "bare_cpu_s": bare,
        "bare_wall_s": bare_wall,
        "calls": float(len(calls.asks)),
        "processes": float(len({ask.session for ask in calls.asks})),
    }


def grade(task: str, folder: Path, seed: int, jobs: int = 1) -> dict[str, float]:
    """CPU seconds of the parts of `grader grade`, and its wall seconds; raises RuntimeError where it did not work."""
    reference = str(ROOT / "reference" / task / f"{task}.py")
    report, usage = folder / "report.json", folder / "usage.json"
    started = time.monotonic()
    what = ("grade", reference, "--task", task, "-j", str(jobs))
    arguments = (*what, "-o", str(report), "--seed", str(seed), "--quiet")
    _require(cpu_of(python("-m", "benchmarks.grade_cli", str(usage), *arguments)))
    wall = time.monotonic() - started
    record, used = json.loads(report.read_text("utf-8")), json.loads(usage.read_text("utf-8"))
    if record["score"]["percent"] != 100:
        raise RuntimeError(f"the reference got {record['score']['percent']} %: measure something that works")
    parts = (used["cli"], used["judge"], record["tasks"][0]["resources"]["cpu_s"])
    return {"grade_cpu_s": sum(parts), **dict(zip(PARTS, parts, strict=True)), "grade_wall_s": wall}


def _timed(*arguments: str) -> tuple[float, float]:
    started = time.monotonic()
    cpu = _require(cpu_of(python(*arguments)))
    return cpu, time.monotonic() - started


def _require(result: tuple[float, int]) -> float:
    cpu, status = result
    if status != 0:
        raise RuntimeError(f"a measured process ended with {status}: see its lines above")
    return cpu
