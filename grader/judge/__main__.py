"""`python -I -m grader.judge`: the trusted process that runs one task's suite with pytest.

The job comes as JSON on standard input, events go as JSON lines to the descriptor in the first argument.
Nothing of the submission is importable here: it is bytes in a dataclass until the sandbox is attested.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from grader.errors import GraderError, TaskBroken
from grader.judge.bench import Bench
from grader.judge.job import Job, check_to_json
from grader.judge.plugin import JudgePlugin
from grader.model import Json
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest

UNUSED_PLUGINS = ("logging", "cacheprovider", "junitxml", "doctest", "debugging")


class Events:
    """The way back to the parent: one JSON object a line."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")

    def send(self, event: str, **fields: object) -> None:
        """Writes one event at once."""
        self._file.write(json.dumps({"event": event, **fields}) + "\n")
        self._file.flush()


def run(job: Job, events: Events) -> None:
    """Runs the suites of `job` and reports each check, then how the sandbox was isolated and what it used."""
    limits = job.task.limits
    request = SandboxRequest(
        run_id=job.run_id,
        limits=limits,
        image=job.image,
        gpus=job.gpus,
        runtime=job.runtime,
        slot=job.slot,
        deadline_s=limits.task_wall_s + 300.0,
    )
    with Bench(backend(job.backend), request, job.submission, job.entry, job.seed) as bench:
        plugin = JudgePlugin(
            job.task,
            bench,
            complete=Path(job.task.root, "hidden").is_dir() and "hidden" in job.suites,
            on_check=lambda result: events.send("check", check=check_to_json(result)),
            device="cuda" if job.gpus else "cpu",
        )
        try:
            bench.start()
            _run_pytest(job, plugin)
            plugin.require_complete()
        except GraderError as error:
            plugin.error = plugin.error or error
        cpu_s, peak = bench.usage()
    if plugin.error is not None:
        events.send("error", **_error(plugin.error))
    facts = dataclasses.asdict(bench.facts) if bench.facts else None
    events.send("done", facts=facts, cpu_s=cpu_s, max_rss_bytes=peak)


def _run_pytest(job: Job, plugin: JudgePlugin) -> None:
    folders = [Path(job.task.root, name) for name in job.suites]
    present = [str(folder) for folder in folders if folder.is_dir()]
    if not present:
        raise TaskBroken(f"task {job.task.id} has no suite", hint=f"expected {' or '.join(map(str, folders))}")
    config = Path("pytest.ini")
    config.write_text("[pytest]\n", encoding="utf-8")
    arguments = [
        *present,
        f"--rootdir={job.task.root}",
        f"--confcutdir={job.task.root}",
        f"--config-file={config.resolve()}",
        "--import-mode=importlib",
        "--capture=no",
        "--strict-markers",
        "-q",
        "--tb=no",  # no report is made of them, and formatting costs a tenth of a second each
        *(part for name in UNUSED_PLUGINS for part in ("-p", f"no:{name}")),
    ]
    pytest.main(arguments, plugins=[plugin])


def _error(error: GraderError) -> Json:
    return {"kind": type(error).__name__, "message": error.message, "hint": error.hint}


def _interrupt(_number: int, _frame: object) -> None:
    """Pytest lets KeyboardInterrupt alone end its run, and then everything is closed in order."""
    raise KeyboardInterrupt


def _follow_parent() -> None:
    """The parent keeps our standard input open and sends nothing more: its end is the parent's end."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Reads the job, works in a folder of its own, and ends when its parent does."""
    signal.signal(signal.SIGTERM, _interrupt)
    events = Events(int(sys.argv[1]))
    job = Job.from_json(json.loads(sys.stdin.buffer.readline()))
    threading.Thread(target=_follow_parent, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="grader-judge-") as folder:
        os.chdir(folder)
        run(job, events)


if __name__ == "__main__":
    main()
