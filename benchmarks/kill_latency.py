"""How long a call that hangs outlives its deadline, seen from outside its container.

    python -m benchmarks.kill_latency [--rounds 13] [-o FILE.json]

Each round has a call for every way to hang, against the wall clock and, where it computes, against CPU time. A thread
reads the container's control group: the deadline of CPU time is when the kernel's account passes the limit, and the
call is gone when no process but the container's first is left in the group. What our own code says is not used.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from benchmarks import machine
from grader.atomic import write_text
from grader.judge.bench import Bench
from grader.judge.faults import CandidateFault
from grader.model import Entry, Json, Limits, Submission
from grader.sandbox import backend
from grader.sandbox.cgroup import V1Meter, find_meter
from grader.sandbox.protocol import SandboxRequest

GOAL_S: Final = 3.0
LOOK_S: Final = 0.004
GIVE_UP_S: Final = 60.0
WALL_S: Final = 1.0
CPU_S: Final = 0.4
SOURCE: Final = b"""
import os, re, signal, threading, time


def busy():
    while True:
        pass


def native():  # one call into C, which keeps the interpreter's lock
    re.match(r"(a+)+$", "a" * 64 + "b")


def asleep():
    time.sleep(100_000)


def stopped():
    os.kill(os.getpid(), signal.SIGSTOP)


def deaf():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        try:
            busy()
        except BaseException:
            pass


def threads():
    for _ in range(4):
        threading.Thread(target=busy).start()
    busy()


def daemons():  # in sessions of their own, their parent gone
    for _ in range(6):
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            deaf()
    busy()


def crowd():  # as many as may be
    while True:
        try:
            if os.fork() == 0:
                busy()
        except OSError:
            busy()


def flood():
    while True:
        os.write(1, b"x" * 65536)
        os.write(2, b"y" * 65536)
"""
WAYS: Final = ("busy", "native", "asleep", "stopped", "deaf", "threads", "daemons", "crowd", "flood")
IDLE: Final = ("asleep", "stopped")
"""Ways that use no CPU time, so that only the clock ends them."""
ENDLESS: Final = Limits(task_cpu_s=1e6, task_wall_s=1e6, output_bytes=2**40)
WALL: Final = replace(ENDLESS, wall_slack_s=WALL_S, wall_factor=0.0)
CPU: Final = replace(ENDLESS, wall_slack_s=GIVE_UP_S)


class Watch:
    """Looks at a container's control group from its start until only its first process is left."""

    def __init__(self, inspected: Json, cpu_s: float | None) -> None:
        pid = inspected["State"]["Pid"]
        self._first, self._cpu_s = str(pid), cpu_s
        self._meter: Any = find_meter(None, inspected["Id"], pid)
        folder = self._meter.pids if isinstance(self._meter, V1Meter) else getattr(self._meter, "folder", Path())
        self._procs = folder / "cgroup.procs"
        self.started = time.monotonic()
        self.deadline = self.started + WALL_S if cpu_s is None else 0.0
        self.gone = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(GIVE_UP_S)

    @property
    def late_s(self) -> float:
        """Seconds between deadline and end; infinite where it did not end, or never came to the deadline."""
        return self.gone - self.deadline if self.gone and self.deadline else float("inf")

    def _look(self) -> None:
        with contextlib.suppress(OSError):
            base = self._meter.read().cpu_s
            while not self.deadline:
                if self._meter.read().cpu_s - base >= (self._cpu_s or 0.0):
                    self.deadline = time.monotonic()
                time.sleep(LOOK_S)
            while time.monotonic() < self.deadline or set(self._procs.read_text().split()) - {self._first}:
                time.sleep(LOOK_S)
        self.gone = time.monotonic()  # also where the whole group went with its last process


class Arena(Bench):
    """A bench that can be watched."""

    def watch(self, cpu_s: float | None) -> Watch:
        """From now on, up to the end of a call."""
        return Watch(self._sandbox.outside(), cpu_s)


def hang(bench: Arena, way: str, kind: str) -> dict[str, Any]:
    """One call that hangs."""
    candidate, session = bench.open()
    outcome = "returned"
    with bench.watch(CPU_S if kind == "cpu" else None) as watch:
        try:
            candidate.within(cpu_s=CPU_S if kind == "cpu" else 1e5).call(way)
        except CandidateFault as fault:
            outcome = str(fault.outcome)
    session.close()
    bench.take_output()
    return {"way": way, "deadline": kind, "outcome": outcome, "late_s": round(watch.late_s, 4)}


def measure(rounds: int) -> Iterator[dict[str, Any]]:
    """All calls, one after the other."""
    pairs = {"wall": (WALL, WAYS), "cpu": (CPU, [way for way in WAYS if way not in IDLE])}
    for kind, (limits, ways) in pairs.items():
        entry = Entry(path="hangs.py")
        submission = Submission(id="hangs", candidate="", files={entry.path: SOURCE}, entries={}, sha256="")
        request = SandboxRequest(run_id=uuid.uuid4().hex, limits=limits)
        with Arena(backend("docker"), request, submission, entry, 0) as bench:
            bench.ready()
            for _ in range(rounds):
                yield from (hang(bench, way, kind) for way in ways)


def quantile(values: Sequence[float], share: float) -> float:
    """By nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """A line for each way and deadline, and one for all."""
    lines = ["| way to hang | deadline | calls | median s | 99 % s | longest s | within 3 s |", "|---" * 7 + "|"]
    groups: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        groups.setdefault((row["way"], row["deadline"]), []).append(row["late_s"])
    groups["all", ""] = [row["late_s"] for row in rows]
    for (way, kind), late in groups.items():
        within = sum(value <= GOAL_S for value in late) / len(late)
        cells = [way, kind, str(len(late)), *(f"{quantile(late, q):.2f}" for q in (0.5, 0.99, 1.0)), f"{within:.1%}"]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kill_latency", description="How late hangs end.")
    parser.add_argument("--rounds", type=int, default=13, help="default: 13, which is 208 calls")
    parser.add_argument("-o", "--output", type=Path, help="JSON file for facts and rows")
    options = parser.parse_args(arguments)
    facts, rows = machine.facts(), []
    for row in measure(options.rounds):
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    if options.output:
        write_text(options.output, json.dumps({"facts": facts, "rows": rows}, indent=1) + "\n")
    print(f"{facts}\n\n{table(rows)}")
    return 0 if all(row["outcome"] == "timeout" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
