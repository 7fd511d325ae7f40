"""A bench for the contract tests: a real sandbox of either backend that holds tests/sandbox/data/candidate.txt."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.judge.answers import Answer
from grader.judge.bench import Bench
from grader.judge.faults import CandidateFault
from grader.judge.link import Link
from grader.judge.notebook import NotebookRun
from grader.judge.proxy import Candidate
from grader.model import Entry, Limits, Outcome, Submission
from grader.sandbox import backend
from grader.sandbox.protocol import SandboxRequest

SECRET_SEED = 0x5EC2E7_5EED
LIMITS = Limits(
    memory_bytes=1024**3, pids=64, cpus=2.0, tmpfs_bytes=64 * 1024**2, call_cpu_s=10.0, wall_factor=5.0,
    wall_slack_s=4.0, task_cpu_s=1e6, task_wall_s=1e6, output_bytes=2 * 1024**2, blob_bytes=4 * 1024**2,
)  # fmt: skip
FILES = {
    "candidate.py": Path(__file__).with_name("data").joinpath("candidate.txt").read_bytes(),
    "syntax.py": b"def f(:\n",
    "nul.py": b"x = 1\0\n",
    "latin.py": b"x = 'caf\xe9'\n",
    "deep.py": b"x = " + b"(" * 5000 + b")" * 5000 + b"\n",
    "imports.py": b"import numpy\nimport no_such_package\n",
    "raises.py": b"x = {}\n\n\ndef f():\n    return x['key']\n\n\nf()\n",
    "exits.py": b"import sys\nsys.exit(0)\n",
    "ends.py": b"import os\nos._exit(0)\n",
    "hangs.py": b"while True: pass\n",
    "reads.py": b"input()\n",
    "pkg/entry.py": b"from pkg.part import VALUE\nimport beside\ndef f():\n    return VALUE + beside.VALUE\n",
    "pkg/part.py": b"VALUE = 40\n",
    "pkg/beside.py": b"VALUE = 2\n",
    "conftest.py": b"raise SystemExit\n",
    "torch.py.txt": b"\xff\xfe",
}


class Rig(Bench):
    """A bench that replaces what died as often as a test likes."""

    def __init__(self, name: str, run_id: str, files: Mapping[str, bytes] = FILES) -> None:
        request = SandboxRequest(run_id=run_id, limits=LIMITS, slot=7)
        submission = Submission(id="a", candidate="A", files=files, entries={}, sha256="")
        super().__init__(backend(name), request, submission, Entry(path="candidate.py"), SECRET_SEED)
        self.name, self.entry = name, "candidate.py"
        self.ends: list[Outcome] = []

    def note_end(self, outcome: Outcome) -> None:
        """See Bench."""
        self.ends.append(outcome)

    def hello(self) -> Link:
        """The link to the sandbox, up and attested."""
        return self._living()

    @contextlib.contextmanager
    def opened(self, entry: str = "") -> Iterator[Candidate]:
        """A fresh process, closed in the end."""
        entry = entry or self.entry
        kind = Path(entry).suffix[1:]
        if kind != "ipynb":
            self.notebook = None
        elif self.notebook is None or self.notebook.path != entry:
            self.notebook = NotebookRun(entry, 7)
        self._entry = Entry(path=entry, kind=kind)
        candidate, session = self.open()
        try:
            yield candidate
        finally:
            session.close()

    def call(self, name: str, *args: Any, cpu_s: float = 10.0) -> Answer:
        """One call in a fresh process."""
        with self.opened(self.entry) as candidate:
            return candidate.within(cpu_s=cpu_s).call(name, *args)

    def fault(self, name: str, *args: Any, cpu_s: float = 10.0) -> CandidateFault:
        """The fault that one call in a fresh process ends with; the next call must work."""
        with pytest.raises(CandidateFault) as caught:
            self.call(name, *args, cpu_s=cpu_s)
        self.take_output()
        assert self.call("alive").integer() == 1
        return caught.value

    def value(self, name: str, *args: Any) -> Any:
        """The unpacked value of one call: for facts, which are checked by the test."""
        return self.call(name, *args)._value
