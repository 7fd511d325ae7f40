"""`python -I -m grader.judge`: the trusted process that runs one task's suite with pytest.

The job comes as JSON on standard input, events go as JSON lines to the descriptor in the first argument; the
second is the parent's process id.
Nothing of the submission is importable here: it is bytes in a dataclass until the sandbox is attested.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from grader.errors import GraderError, TaskBroken
from grader.judge.bench import Bench
from grader.judge.job import SCRATCH_PREFIX, Job, artifact_to_json, check_to_json
from grader.judge.notebook import executed_notebook
from grader.judge.plugin import JudgePlugin
from grader.model import Json
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest

ORDERLY_END_S = 15.0
EXIT_ORPHANED = 1
_MAIN_ENDED = threading.Event()
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
        cores=job.cores,
        deadline_s=limits.task_wall_s + 420.0,
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
    if job.pictures:
        _send_pictures(plugin, events)
    notebook = bench.notebook
    if notebook is not None and notebook.executed:
        events.send("artifact", artifact=artifact_to_json(executed_notebook(notebook.executed)))
    facts = dataclasses.asdict(bench.facts) if bench.facts else None
    diagnosis = [dataclasses.asdict(row) for row in plugin.suspicions.found()]
    events.send(
        "done",
        facts=facts,
        cpu_s=cpu_s,
        max_rss_bytes=peak,
        diagnosis=diagnosis,
        notes=notebook.notes if notebook else [],
    )


def _send_pictures(plugin: JudgePlugin, events: Events) -> None:
    """Draws after the last check, when the sandbox is gone: nobody waits for a picture."""
    pictures = plugin.kept.pictures()
    if pictures:
        from grader.judge.pictures import draw_all

        for file in draw_all(pictures):
            events.send("artifact", artifact=artifact_to_json(file))


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


def _follow_parent(job: Job, parent: int) -> None:
    """The parent keeps our standard input open and sends nothing more: its end is the parent's end.

    The interrupt lets everything close in order. It can be lost (Python drops what is raised in a destructor) or
    come while the engine makes a container that nobody knows of yet, so a parent that died has its last duty,
    removing the containers and the scratch folder, done here.
    """
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)
    _MAIN_ENDED.wait(ORDERLY_END_S)
    if os.getppid() == parent:
        return  # it lives, and does both itself
    with contextlib.suppress(GraderError):  # an engine that is gone holds nothing that we could remove
        backend(job.backend).reap(job.run_id)
    _remove_scratch()
    os._exit(EXIT_ORPHANED)


def _remove_scratch() -> None:
    scratch = Path(os.environ["TMPDIR"])
    if scratch.name.startswith(SCRATCH_PREFIX):
        shutil.rmtree(scratch, ignore_errors=True)


def main() -> None:
    """Reads the job, works in a folder of its own, and ends when its parent does."""
    parent = int(sys.argv[2])  # asking the system would name whoever took us over, where it died while we started
    signal.signal(signal.SIGTERM, _interrupt)
    events = Events(int(sys.argv[1]))
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):  # it died while it wrote
        _remove_scratch()
        os._exit(EXIT_ORPHANED)
    job = Job.from_json(json.loads(line))
    if job.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, job.cores)  # it works while its sandbox waits, and the other way round
    follower = threading.Thread(target=_follow_parent, args=(job, parent), daemon=True)
    follower.start()
    try:
        with tempfile.TemporaryDirectory(prefix="grader-judge-") as folder:
            os.chdir(folder)
            run(job, events)
    finally:
        _MAIN_ENDED.set()
        if os.getppid() != parent:
            follower.join()


if __name__ == "__main__":
    main()
