"""`make bench`: what isolation costs, as a table on standard output and as out/bench/overhead.json.

    python -m benchmarks [--times 5] [--calls 300] [--output FILE]

Needs the Docker engine and the sandbox image. Figures are medians of several measurements of one run; run it on a
machine that does nothing else (the load average is recorded). The aims: at most 3 s of CPU over the bare run, at most
1 ms for a small call.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import machine, overhead_calls, overhead_grading, overhead_start
from grader.atomic import write_text
from grader.errors import GraderError

AIM_OVERHEAD_S = 3.0
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
    ("grading the reference", ""),
    ("`grader grade`, all CPU", "grading.grade_cpu_s"),
    ("  command", "grading.command_cpu_s"),
    ("  judge", "grading.judge_cpu_s"),
    ("  container", "grading.container_cpu_s"),
    ("the same calls, bare, CPU", "grading.bare_cpu_s"),
    ("`grader grade`, wall", "grading.grade_wall_s"),
    ("the same calls, bare, wall", "grading.bare_wall_s"),
)


def main(arguments: list[str]) -> int:
    """Measures, prints, writes. 0 where it could be measured, whatever the figures say; else grader's exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What isolation costs.")
    parser.add_argument("--times", type=int, default=5, help="rounds of each measurement (default: 5)")
    parser.add_argument("--calls", type=int, default=300, help="calls for the round trip (default: 300)")
    parser.add_argument("--output", type=Path, default=machine.ROOT / "out" / "bench" / "overhead.json")
    options = parser.parse_args(arguments)
    try:
        figures = _measure(options.times, options.calls)
    except GraderError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return error.exit_code
    write_text(options.output, json.dumps(figures, indent=2) + "\n")
    print("\n".join([*_table(figures), f"written to {options.output}"]))
    return 0


def _measure(times: int, calls: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"schema_version": 1, "machine": machine.facts()}
    _say(f"starting {2 * times} containers")
    figures["start"] = overhead_start.measure(times)
    _say(f"{calls} calls, {4 * times} processes")
    figures["calls"] = overhead_calls.measure(calls, 4 * times, machine.REFERENCE.read_bytes())
    _say(f"{times} rounds of grading the reference and of the same calls bare")
    figures["grading"] = overhead_grading.measure(times)
    return figures


def _say(line: str) -> None:
    print(f"bench: {line} ...", file=sys.stderr, flush=True)


def _table(figures: dict[str, Any]) -> list[str]:
    facts, grading, calls = figures["machine"], figures["grading"], figures["calls"]
    lines = [f"{key.replace('_', ' ')}: {value}" for key, value in facts.items()]
    lines += ["", f"{'seconds unless said otherwise':36} {'min':>9} {'median':>9} {'p95':>9} {'n':>5}"]
    for title, path in ROWS:
        lines.append(_row(title, figures, path) if path else f"{title}:")
    over, small = grading["overhead_cpu_s"], calls["small_call_ms"]["median"]
    judge, sandbox = calls["small_call_judge_cpu_ms"], calls["small_call_sandbox_cpu_ms"]
    lines += [
        "",
        f"import torch is {100 * figures['start']['import_torch_share']:.0f} % of a start",
        f"CPU of a small call: {judge:g} ms in the judge, {sandbox:g} ms in the sandbox",
        f"each MiB there and back: {calls['per_mib_there_and_back_ms']:g} ms",
        f"calls of one grading: {grading['calls']['median']:g} in {grading['processes']['median']:g} processes",
        f"overhead over the bare run: {over:.2f} s CPU (x {grading['ratio']:.2f}); aim: at most {AIM_OVERHEAD_S:g} s: "
        + ("met" if over <= AIM_OVERHEAD_S else "NOT met"),
        f"small call: {small:.2f} ms; aim: at most {AIM_CALL_MS:g} ms: "
        + ("met" if small <= AIM_CALL_MS else "NOT met"),
        "not counted: what the engine itself uses",
    ]
    return lines


def _row(title: str, figures: dict[str, Any], path: str) -> str:
    part, _, name = path.partition(".")
    row = figures[part][name]
    return f"  {title:34} {row['min']:9.3f} {row['median']:9.3f} {row['p95']:9.3f} {row['n']:5d}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
