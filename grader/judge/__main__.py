"""`python -I -m grader.judge`: the trusted process that runs one task's suite with pytest.

The job comes as JSON on standard input, then the word to go, then which of the suite's groups of checks to run, one
after the other; events go as JSON lines to the descriptor in the first argument; the second is the process that wants
them.
Nothing of the submission is importable here: it is bytes in a dataclass until the sandbox is attested.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from grader.errors import GraderError, TaskBroken
from grader.judge.bench import Bench
from grader.judge.job import Job, artifact_to_json, check_to_json
from grader.judge.notebook import executed_notebook
from grader.judge.parent import Parent
from grader.judge.parts import Groups
from grader.judge.plugin import JudgePlugin
from grader.model import Json
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest

WAIT_S: Final = 3600.0
"""How long a sandbox may wait for its turn, the start of a busy machine included."""
UNUSED_PLUGINS: Final = ("logging", "cacheprovider", "junitxml", "doctest", "debugging")


class Events:
    """The way back to the parent: one JSON object a line."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "w", encoding="utf-8")

    def send(self, event: str, **fields: object) -> None:
        """Writes one event at once."""
        self._file.write(json.dumps({"event": event, **fields}) + "\n")
        self._file.flush()


def run(job: Job, events: Events, parent: Parent) -> None:
    """Runs those checks of `job` that the parent asks for, reports each, then how the sandbox was isolated and used."""

    def turns(groups: Groups) -> Iterator[int]:
        events.send("groups", groups=groups)
        return _turns(events, parent)

    limits = job.task.limits
    request = SandboxRequest(
        run_id=job.run_id,
        limits=limits,
        image=job.image,
        gpus=job.gpus,
        runtime=job.runtime,
        slot=job.slot,
        cores=job.cores,
        deadline_s=limits.task_wall_s + WAIT_S,
    )
    with Bench(backend(job.backend), request, job.submission, job.entry, job.seed, parent.wait_for_go) as bench:
        plugin = JudgePlugin(
            job.task,
            bench,
            complete=Path(job.task.root, "hidden").is_dir() and "hidden" in job.suites,
            on_check=lambda result, trace: events.send("check", check=check_to_json(result), trace=trace),
            device="cuda" if job.gpus else "cpu",
            turns=turns,
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
    if job.pictures:
        _send_pictures(plugin, events)
    notebook = bench.notebook
    if notebook is not None and notebook.executed:
        events.send("artifact", artifact=artifact_to_json(executed_notebook(notebook.executed)), ranks=None)
    facts = dataclasses.asdict(bench.facts) if bench.facts else None
    seen = plugin.suspicions
    diagnosis = [dataclasses.asdict(row) | {"rank": seen.ranks[row.id]} for row in seen.found()]
    events.send(
        "done",
        facts=facts,
        cpu_s=cpu_s,
        max_rss_bytes=peak,
        diagnosis=diagnosis,
        notes=notebook.notes if notebook else [],
    )


def _turns(events: Events, parent: Parent) -> Iterator[int]:
    """What the parent wants next, each time that we have nothing to do."""
    while True:
        events.send("idle")
        turn = parent.next_turn()
        if turn is None:
            return
        yield turn


def _send_pictures(plugin: JudgePlugin, events: Events) -> None:
    """Draws after the last check, when the sandbox is gone: nobody waits for a picture."""
    pictures = plugin.kept.pictures()
    if pictures:
        from grader.judge.pictures import draw_all

        for file in draw_all(pictures):
            events.send("artifact", artifact=artifact_to_json(file), ranks=plugin.kept.ranks[file.name])


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


def judge(descriptor: int, pid: int) -> None:
    """Does the job that the process `pid` gives, in a folder of its own, and ends when that process does."""
    parent = Parent(pid)
    signal.signal(signal.SIGTERM, _interrupt)
    events = Events(descriptor)
    job = parent.job()
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)  # it works while its sandbox waits, and the other way round
    parent.follow(job)
    try:
        with tempfile.TemporaryDirectory(prefix="grader-judge-") as folder:
            os.chdir(folder)
            run(job, events, parent)
    finally:
        parent.done()


if __name__ == "__main__":
    judge(int(sys.argv[1]), int(sys.argv[2]))
