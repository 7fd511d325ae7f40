"""Facts of the machine that the figures of a benchmark belong to, and the statistics that all benchmarks use."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "reference" / "cnn_classifier" / "cnn_classifier.py"
TASK = "cnn_classifier"


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


def python(*arguments: str) -> subprocess.Popen[bytes]:
    """A child of this interpreter, one thread for each library, its output on our standard error."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **threads},
        stdout=sys.stderr,
        stdin=subprocess.DEVNULL,
    )


def cpu_of(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """CPU seconds (user and system, with all children that it waited for) and exit status, once it has ended."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, process.returncode
