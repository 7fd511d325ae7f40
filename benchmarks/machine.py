"""Facts of the machine that the figures of a benchmark belong to, and the statistics that all benchmarks use."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "reference" / "cnn_classifier" / "cnn_classifier.py"
TASK = "cnn_classifier"
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def facts() -> dict[str, Any]:
    """Processor, cores, load and versions. Call it before the work: the load average then says what else ran."""
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load_average_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": metadata.version("torch"),
        "docker": _engine(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def _engine() -> str:
    from grader.sandbox.container import connect

    return str(connect().version().get("Version", "?"))


def spread(values: Sequence[float], digits: int = 4) -> dict[str, float]:
    """Minimum, median, 95th percentile (nearest rank) and number of the measured values."""
    ordered = sorted(values)
    rank = max(0, -(-len(ordered) * 95 // 100) - 1)
    figures = {"min": ordered[0], "median": statistics.median(ordered), "p95": ordered[rank]}
    return {**{name: round(value, digits) for name, value in figures.items()}, "n": len(ordered)}


def timed(
    command: Sequence[str], folder: Path = ROOT, *, env: Mapping[str, str] | None = None, allowed: Sequence[int] = (0,)
) -> tuple[float, float]:
    """Wall and CPU seconds of a command and of all processes that it waits for, one thread for each library.

    Raises RuntimeError with the end of what it printed where its exit status is not allowed.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    merged = {**os.environ, **THREADS, **(env or {})}
    done = subprocess.run(
        command, cwd=folder, env=merged, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode not in allowed:
        raise RuntimeError(
            f"{command[:5]} ended with {done.returncode}: {done.stdout.decode(errors='replace')[-2000:]}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return round(time.monotonic() - started, 2), round(cpu, 2)


def python(*arguments: str) -> subprocess.Popen[bytes]:
    """A child of this interpreter, one thread for each library, its output on our standard error."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **THREADS},
        stdout=sys.stderr,
        stdin=subprocess.DEVNULL,
    )


def cpu_of(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """CPU seconds (user and system, with all children that it waited for) and exit status, once it has ended."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, process.returncode
