"""What isolation costs, as a table on standard output and as out/bench/overhead.json.

    python -m benchmarks.overhead [--times 5] [--calls 300] [--task T ...] [--output FILE]

Needs the Docker engine and the sandbox image. Figures are medians of several measurements of one run; run it on a
machine that does nothing else (the load average is recorded). The aims: at most 2 s of CPU over the bare run of each
task's reference, at most 1 ms for a small call.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, overhead_calls, overhead_grading, overhead_start
from grader.atomic import write_text
from grader.errors import GraderError

AIM_OVERHEAD_S = 2.0
AIM_CALL_MS = 1.0

ROWS = (
    ("starting a container", ""),
    ("create and start", "start.create_and_start_s"),
    ("until the worker is ready", "start.ready_s"),
    ("  of it: import torch", "start.import_torch_s"),
    ("  of it: warm-up step", "start.warm_up_s"),
    ("CPU until ready", "start.worker_cpu_until_ready_s"),
    ("attestation", "start.attest_s"),
    ("removal", "start.remove_s"),
    ("one call", ""),
    ("nothing there, nothing back (ms)", "calls.small_call_ms"),
    ("8 KiB tensor there and back (ms)", "calls.tensor_call_ms"),
    ("one check's own process", ""),
    ("fork and load the file (ms)", "calls.check_open_and_load_ms"),
    ("end it (ms)", "calls.check_close_ms"),
    ("CPU in the sandbox (ms)", "calls.check_sandbox_cpu_ms"),
)
TASKS = ("cnn_classifier", "transformer", "gan")
GRADING = (
    ("`grader grade`, all CPU", "grade_cpu_s"),
    ("  command", "command_cpu_s"),
    ("  judge", "judge_cpu_s"),
    ("  container", "container_cpu_s"),
    ("the same calls, bare, CPU", "bare_cpu_s"),
    ("`grader grade`, wall", "grade_wall_s"),
    ("the same calls, bare, wall", "bare_wall_s"),
)


def main(arguments: list[str]) -> int:
    """Measures, prints, writes. 0 where it could be measured, whatever the figures say; else grader's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description="What isolation costs.")
    parser.add_argument("--times", type=int, default=5, help="rounds of each measurement (default: 5)")
    parser.add_argument("--calls", type=int, default=300, help="calls for the round trip (default: 300)")
    parser.add_argument("--task", action="append", choices=TASKS, help="whose reference to grade (default: all)")
    parser.add_argument("--output", type=Path, default=machine.ROOT / "out" / "bench" / "overhead.json")
    options = parser.parse_args(arguments)
    try:
        figures = _measure(options.times, options.calls, options.task or TASKS)
    except GraderError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    write_text(options.output, json.dumps(figures, indent=2) + "\n")
    print("\n".join([*_table(figures), f"written to {options.output}"]))
    return 0


def _measure(times: int, calls: int, tasks: Sequence[str]) -> dict[str, Any]:
    figures: dict[str, Any] = {"schema_version": 1, "machine": machine.facts()}
    _say(f"starting {2 * times} containers")
    figures["start"] = overhead_start.measure(times)
    _say(f"{calls} calls, {4 * times} processes")
    figures["calls"] = overhead_calls.measure(calls, 4 * times, machine.REFERENCE.read_bytes())
    figures["grading"] = {}
    for task in tasks:
        _say(f"{times} rounds of grading the reference of {task} and of the same calls bare")
        figures["grading"][task] = overhead_grading.measure(task, times)
    return figures


def _say(line: str) -> None:
    print(f"bench: {line} ...", file=sys.stderr, flush=True)


def _table(figures: dict[str, Any]) -> list[str]:
    facts, calls = figures["machine"], figures["calls"]
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in facts.items()]
    lines += ["", f"{'seconds unless said otherwise':36} {'min':>9} {'median':>9} {'p95':>9} {'n':>5}"]
    for title, path in ROWS:
        part, _, name = path.partition(".")
        lines.append(_row(title, figures[part][name]) if path else f"{title}:")
    for task, grading in figures["grading"].items():
        over = grading["overhead_cpu_s"]
        lines += [f"grading the reference of {task}:", *(_row(title, grading[name]) for title, name in GRADING)]
        lines += [
            f"  calls: {grading['calls']['median']:g} in {grading['processes']['median']:g} processes",
            f"  overhead over the bare run: {over:.2f} s CPU (x {grading['ratio']:.2f}); aim: at most "
            f"{AIM_OVERHEAD_S:g} s: " + ("met" if over <= AIM_OVERHEAD_S else "NOT met"),
        ]
    small = calls["small_call_ms"]["median"]
    judge, sandbox = calls["small_call_judge_cpu_ms"], calls["small_call_sandbox_cpu_ms"]
    lines += [
        "",
        f"import torch is {100 * figures['start']['import_torch_share']:.0f} % of a start",
        f"CPU of a small call: {judge:g} ms in the judge, {sandbox:g} ms in the sandbox",
        f"each MiB there and back: {calls['per_mib_there_and_back_ms']:g} ms",
        f"small call: {small:.2f} ms; aim: at most {AIM_CALL_MS:g} ms: "
        + ("met" if small <= AIM_CALL_MS else "NOT met"),
        "not counted: what the engine itself uses",
    ]
    return lines


def _row(title: str, row: dict[str, Any]) -> str:
    return f"  {title:34} {row['min']:9.3f} {row['median']:9.3f} {row['p95']:9.3f} {row['n']:5d}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
