"""What one call across the trust border costs, and what a fresh process for each check costs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import TASK, spread
from grader.judge.bench import Bench
from grader.judge.proxy import Candidate
from grader.model import Entry, Limits, Submission
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest

SOURCE = b"def nothing():\n    return None\n\n\ndef same(x):\n    return x\n"
SIZES_MIB = (1, 16)
WARM = 3


def measure(calls: int, opens: int, source: bytes) -> dict[str, Any]:
    """Round trips in milliseconds, and the cost of a check's own process with `source` as the entry file."""
    with _bench(SOURCE) as bench:
        candidate, _ = bench.open()
        cpu = (time.process_time(), bench.usage()[0])
        small = _times(lambda: candidate.call("nothing"), calls)
        used = ((time.process_time() - cpu[0]) * 1000 / calls, (bench.usage()[0] - cpu[1]) * 1000 / calls)
        tensor = _small_tensor(candidate, calls)
        per_mib = _per_mib(candidate)
    with _bench(source) as bench:
        forks = [_fork(bench) for _ in range(opens)]
    rows = {name: spread([fork[name] for fork in forks]) for name in forks[0]}
    cpu_ms = {"small_call_judge_cpu_ms": round(used[0], 3), "small_call_sandbox_cpu_ms": round(used[1], 3)}
    return {
        "small_call_ms": spread(small), **cpu_ms, "tensor_call_ms": tensor, "per_mib_there_and_back_ms": per_mib, **rows
    }  # fmt: skip


def _bench(source: bytes) -> Bench:
    entry = Entry(path=f"{TASK}.py")
    submission = Submission(id="bench", candidate="bench", files={entry.path: source}, entries={TASK: entry}, sha256="")
    limits = Limits(call_cpu_s=60.0)
    bench = Bench(backend("docker"), SandboxRequest(run_id=uuid.uuid4().hex, limits=limits), submission, entry, 0)
    bench.start()
    bench.ready()
    return bench


def _times(action: Callable[[], object], count: int) -> list[float]:
    """Milliseconds of each of `count` repetitions, after a few that are thrown away."""
    for _ in range(WARM):
        action()
    result = []
    for _ in range(count):
        started = time.perf_counter()
        action()
        result.append((time.perf_counter() - started) * 1000)
    return result


def _small_tensor(candidate: Candidate, calls: int) -> dict[str, float]:
    batch = np.zeros((32, 1, 8, 8), dtype=np.float32)
    return spread(_times(lambda: candidate.call("same", batch).tensor(), calls))


def _per_mib(candidate: Candidate) -> float:
    medians = []
    for size in SIZES_MIB:
        array = np.zeros((size, 1024, 256), dtype=np.float32)
        medians.append(spread(_times(partial(_echo, candidate, array), 10))["median"])
    return round((medians[1] - medians[0]) / (SIZES_MIB[1] - SIZES_MIB[0]), 3)


def _echo(candidate: Candidate, array: NDArray[np.float32]) -> None:
    candidate.call("same", array).tensor()


def _fork(bench: Bench) -> dict[str, float]:
    cpu, started = bench.usage()[0], time.perf_counter()
    _, session = bench.open()
    opened = time.perf_counter()
    session.close()
    closed = time.perf_counter()
    return {
        "check_open_and_load_ms": (opened - started) * 1000,
        "check_close_ms": (closed - opened) * 1000,
        "check_sandbox_cpu_ms": (bench.usage()[0] - cpu) * 1000,
    }
