"""A bench without a sandbox: the suites' calls go straight to a worker's session object in this process.

For recording alone. It isolates nothing and limits nothing, so it never runs anybody else's code but the reference's.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bare import Ask, Recording
from grader.config import Settings
from grader.judge.bench import Bench
from grader.judge.plugin import JudgePlugin
from grader.judge.proxy import Candidate
from grader.judge.tensors import leaf_reader, read_body
from grader.model import Entry, Outcome, Submission, Task
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest
from grader.submission import load_submission
from grader.task import find_tasks
from grader.worker.session import Session as WorkerSession
from grader.worker.values import unpack
from grader.worker.wire import DEFAULT_BODY_BYTES, HEADER, Frame, FrameType, decode_frame, decode_header, parse_table


class LocalSession:
    """A `Line` that answers from this process, and writes down what was asked."""

    def __init__(self, bench: InProcessBench, number: int) -> None:
        self._bench, self._number = bench, number
        self._session = WorkerSession(
            root=bench.folder / f"s{number}", files=bench.recording.files, max_body=DEFAULT_BODY_BYTES
        )
        self.usable = True

    def ask(self, verb: str, arguments: Mapping[str, Any], value: Any, body: bytes, cpu_s: float | None) -> Any:  # noqa: ARG002, ANN401 - a Line
        """See proxy.Line. The answer takes the way through a frame, so that suites see what they always see."""
        seed = self._bench.next_seed()
        head = {"verb": verb, "arguments": dict(arguments), "value": value, "seed": seed}
        raw = self._session.answer(Frame(FrameType.REQUEST, 1, head, body, parse_table(body) if body else {}))
        header = decode_header(raw[: HEADER.size])
        middle = HEADER.size + header.json_bytes
        frame = decode_frame(header, raw[HEADER.size : middle], raw[middle:])
        if frame.head["status"] != "ok":
            raise RuntimeError(f"the reference must answer every call: {verb} {arguments}: {frame.head['error']}")
        kept = '"$": "handle"' in str(frame.head["value"]).replace("'", '"')
        self._bench.recording.asks.append(Ask(self._number, verb, dict(arguments), value, body, seed, kept))
        return unpack(frame.head["value"], leaf_reader(read_body(frame.body, frame.table)))

    def close(self) -> None:
        """Nothing to end."""
        self.usable = False


class InProcessBench(Bench):
    """A Bench whose sessions are `LocalSession`s."""

    def __init__(self, task: Task, submission: Submission, entry: Entry, seed: int, folder: Path) -> None:
        super().__init__(backend("process"), SandboxRequest(run_id="", limits=task.limits), submission, entry, seed)
        self.folder = folder
        self.recording = Recording(files=dict(submission.files))
        self._opened = 0
        self._entry_path = entry.path

    def start(self) -> None:
        """There is no sandbox."""

    def ready(self) -> None:
        """There is nobody to wait for."""

    def open(self) -> tuple[Candidate, Any]:
        """A session of this process."""
        self._opened += 1
        session = LocalSession(self, self._opened)
        names = session.ask("load", {"entry": self._entry_path}, None, b"", None)
        return Candidate(session, frozenset(names)), session

    def usage(self) -> tuple[float, int]:
        """CPU seconds of this process."""
        times = os.times()
        return times.user + times.system, 0


def run_suites(path: Path, seed: int) -> Recording:
    """Runs both suites of the task that the file `path` is named after. Raises RuntimeError where a check fails."""
    name = path.stem
    task = find_tasks(Settings().tasks_dir)[name]
    submission = load_submission(path, [name])
    with tempfile.TemporaryDirectory(prefix="grader-bare-") as folder:
        bench = InProcessBench(task, submission, submission.entries[name], seed, Path(folder))
        plugin = JudgePlugin(task, bench, complete=True, on_check=lambda _result, _trace: None, device="cpu")
        suites = [str(Path(task.root, suite)) for suite in ("public", "hidden")]
        options = ["--import-mode=importlib", "--capture=no", f"--rootdir={task.root}"]
        options += [
            part for plugin_name in ("cacheprovider", "terminal", "warnings") for part in ("-p", f"no:{plugin_name}")
        ]
        config = Path(folder, "pytest.ini")
        config.write_text("[pytest]\n", encoding="utf-8")
        pytest.main([*suites, *options, f"--config-file={config}"], plugins=[plugin])
    failed = [check for check, result in plugin.results.items() if result.outcome is not Outcome.PASSED]
    if plugin.error or failed or not plugin.results:
        raise RuntimeError(f"the recording is of no use: {plugin.error or failed}")
    return bench.recording
