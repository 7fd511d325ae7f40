"""Memory of a batch's own process as the batch grows: it must stay flat.

    python -m benchmarks.batch_memory [--counts 100 1000] [--output FILE]

Everything is the real thing but the jobs: one submission is graded for real, and its result (checks, output, pictures)
is handed back for each of the others, so that a thousand take some minutes. Each count runs in a process of its own.
Counted is the peak of the whole run: reading, store, reports, summary and pages; also of a second run, over what has
not changed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, TASK, facts
from grader.atomic import write_text


def main(arguments: list[str]) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch_memory")
    parser.add_argument("--counts", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, default=ROOT / "out" / "bench" / "batch_memory.json")
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(_measure(options.one)))
        return 0
    figures: dict[str, Any] = {"schema_version": 1, "machine": facts(), "runs": []}
    for count in options.counts:
        command = [sys.executable, "-m", "benchmarks.batch_memory", "--one", str(count)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        figures["runs"].append(json.loads(done.stdout.splitlines()[-1]))
        print(json.dumps(figures["runs"][-1]), flush=True)
    write_text(options.output, json.dumps(figures, indent=2) + "\n")
    return 0


def _measure(count: int) -> dict[str, float]:
    """Grades `count` submissions with one real result, then runs again over what is unchanged."""
    from grader.config import Settings
    from grader.pipeline import Judged, Request, judge_task, new_run
    from grader.submission import load_submission
    from grader.task import load_tasks

    settings = Settings(backend="process")
    tasks = load_tasks(settings.tasks_dir, [TASK])
    reference = ROOT / "reference" / TASK / f"{TASK}.py"
    submission = load_submission(reference, [TASK])
    request = Request(tasks=tasks, settings=settings, pictures=True)
    judged: Judged = judge_task(tasks[TASK], submission, request, new_run(settings))
    if judged.error is not None:
        raise judged.error
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        root = Path(folder, "in")
        for number in range(count):
            (root / f"s{number:04}").mkdir(parents=True)
            (root / f"s{number:04}" / f"{TASK}.py").write_bytes(reference.read_bytes() + f"# {number}\n".encode())
        before = _peak()
        first = _batch(root, Path(folder, "out"), judged)
        after = _peak()
        second = _batch(root, Path(folder, "out"), judged)
    return {
        "submissions": count,
        "before_mib": before,
        "peak_mib": after,
        "wall_s": first,
        "unchanged_s": second,
        "unchanged_peak_mib": _peak(),
    }


def _batch(root: Path, out: Path, judged: Any) -> float:  # noqa: ANN401 -- imported late
    from grader.batch import command
    from grader.batch.discovery import find_submissions
    from grader.config import Settings
    from grader.task import load_tasks

    settings = Settings(backend="process")
    tasks = load_tasks(settings.tasks_dir, [TASK])
    command.grade_unit = lambda _unit, _context: judged
    command.is_available = lambda: False  # judges would be started ahead for jobs that need none
    started = time.monotonic()
    found, _ = find_submissions(root, [TASK])
    command.run_batch(found, tasks, settings, command.Options(out=out, quiet=True))
    return round(time.monotonic() - started, 2)


def _peak() -> float:
    """Of this process, in MiB; its children are judges, and have memory of their own.

    Linux's ru_maxrss begins with what whoever started this process had: `make bench` comes here with torch imported.
    """
    with contextlib.suppress(OSError):
        return round(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024, 1)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
