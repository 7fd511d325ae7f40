"""The workbench of one task's run: the sandbox, its sessions, and the budget for replacing what dies.

Each check gets a fresh session (a forked child, some milliseconds); `shared` keeps one alive for several
checks. A session or sandbox that died is replaced at most twice in a task; then the remaining checks are
`crashed` without being run, so that a crash loop costs nothing.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import numpy as np

from grader.judge.faults import CandidateFault, SandboxDown
from grader.judge.link import Link
from grader.judge.notebook import NotebookRun, notebook_seed
from grader.judge.proxy import Candidate
from grader.judge.session import Session
from grader.judge.trace import MAX_REPLACEMENTS, TIME_LINE, Trace, deaths_line
from grader.model import Entry, Limits, Outcome, SandboxFacts, Submission
from grader.sandbox.protocol import Backend, SandboxRequest

LOAD_CPU_S: Final = 20.0
MAX_LINE_DIGITS: Final = 7
CELL: Final = re.compile(r"(.{1,200}\.ipynb)\[cell ([0-9]{1,4})\]")


class Bench:
    """Sandboxes and sessions for one task of one submission. Use it as a context manager."""

    def __init__(
        self,
        backend: Backend,
        request: SandboxRequest,
        submission: Submission,
        entry: Entry,
        seed: int,
        wait_for_go: Callable[[], None] = lambda: None,
    ) -> None:
        self._backend, self._request, self.has_gpu = backend, request, bool(request.gpus)
        self._submission, self._entry, self._seed = submission, entry, seed
        self._wait_for_go = wait_for_go
        self.notebook = NotebookRun(entry.path, notebook_seed(seed)) if entry.kind == "ipynb" else None
        self._link: Link | None = None
        self._sessions = 0
        self._group = ""
        self._calls: Counter[str] = Counter()
        self._opened = self._deaths = 0
        self._earlier_cpu_s = 0.0
        self._peak_bytes = 0
        self._output: list[str] = []
        self._started = time.monotonic()
        self._ours_s = 0.0
        """Wall time in which we waited for sandboxes to come up: no candidate pays for a busy machine."""
        self.facts: SandboxFacts | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._link is not None:
            self._link.kill()

    def turn_to(self, group: str) -> None:
        """From now on calls are those of this group of checks: its seeds do not depend on what ran before it."""
        self._group = group

    def note_wait(self, seconds: float) -> None:
        """Nothing was to be done for so long: it does not count as the task's time."""
        self._ours_s += seconds

    @property
    def trace(self) -> Trace:
        """What was done so far."""
        return Trace(self._calls.total(), self._opened, self._deaths)

    @property
    def limits(self) -> Limits:
        """The task's limits."""
        return self._request.limits

    @property
    def code(self) -> tuple[Mapping[str, bytes], str]:
        """The submission's files, and the path of the entry among them."""
        return self._submission.files, self._entry.path

    def start(self) -> None:
        """Starts the sandbox; it warms up while the caller goes on. Raises SandboxUnavailable."""
        self._sandbox = self._backend.start(self._request)
        self._link = Link(self._sandbox, self.limits)

    def ready(self) -> None:
        """Waits for its turn and the worker, attests it, and then sends the submission. Raises what those raise."""
        begun = self._started if self.facts is None else time.monotonic()
        if self._link is None:
            self.start()
        link = self._link
        if link is None:
            raise SandboxDown("no sandbox")
        self._wait_for_go()
        hello = link.hello()
        facts = self._sandbox.facts(hello)
        self.facts = self.facts or facts
        files = [[name, len(content)] for name, content in self._submission.files.items()]
        content = np.frombuffer(b"".join(self._submission.files.values()) or b"\0", dtype=np.uint8)
        body = _files_body(content)
        try:
            link.request({"verb": "submit", "files": files}, body, cpu_s=10.0)
        except CandidateFault as fault:  # nobody's code has run in it yet: whatever failed is ours
            raise SandboxDown(f"the sandbox did not take the submission: {fault}") from fault
        self._ours_s += time.monotonic() - begun

    def open(self) -> tuple[Candidate, Session]:
        """A fresh process with the entry loaded. Raises CandidateFault or SandboxDown."""
        if self._entry.problem:
            raise CandidateFault(Outcome.INVALID, self._entry.problem)
        link = self._living()
        if self.notebook is not None:
            self.notebook.ensure(self, link)
        session = self.new_session(link, "module" if self.notebook is None else "copy", self.next_seed)
        try:
            functions = session.ask("load", {"entry": self._entry.path}, None, b"", LOAD_CPU_S)
        except CandidateFault:
            session.close()  # the server keeps a few only
            raise
        names = functions if isinstance(functions, list) else []
        return Candidate(session, frozenset(name for name in names if isinstance(name, str))), session

    def new_session(self, link: Link, kind: str, seeds: Callable[[], int]) -> Session:
        """A new process: of kind "module", "notebook" or "copy" of an executed one. Raises CandidateFault."""
        self._sessions += 1
        reply = link.request({"verb": "open", "session": self._sessions, "kind": kind}, cpu_s=5.0)
        if reply.status != "ok":
            self.note_end(Outcome.CRASHED)
            raise CandidateFault(Outcome.CRASHED, "the sandbox cannot start another process")
        return Session(self, link, self._sessions, seeds)

    def explain(self, fault: CandidateFault) -> CandidateFault:
        """`fault` with what a notebook's cells have to do with it."""
        return self.notebook.explain(fault) if self.notebook is not None else fault

    def _living(self) -> Link:
        self._opened += 1
        if self._deaths > MAX_REPLACEMENTS:
            raise CandidateFault(Outcome.CRASHED, deaths_line(self._deaths))
        if self._link is None or self._link.dead:
            self._replace()
        if self._link is None:
            raise SandboxDown("no sandbox")
        return self._link

    def _replace(self) -> None:
        if self._link is not None:
            cpu, peak = self._link.usage()
            self._earlier_cpu_s += cpu
            self._peak_bytes = max(self._peak_bytes, peak)
            self._link = None
        self.ready()

    def note_end(self, outcome: Outcome) -> None:
        """Counts a process that died; one that we ended for its slowness is paid for in CPU time already."""
        if outcome is not Outcome.TIMEOUT:
            self._deaths += 1

    def note_output(self, text: str) -> None:
        """Keeps what the candidate's code printed, for the check that is running."""
        if text:
            self._output.append(text)

    def take_output(self) -> str:
        """What was printed since the last call."""
        text, self._output = "".join(self._output), []
        return text

    def own_line(self, location: str) -> str:
        """`location` if it is an existing line of a file that was submitted, e.g. "cnn_classifier.py:31"; else ""."""
        path, _, number = location.rpartition(":")
        cell = CELL.fullmatch(path)
        content = self._submission.files.get(cell[1] if cell else path)
        if content is None or not number.isascii() or not number.isdigit() or len(number) > MAX_LINE_DIGITS:
            return ""
        if cell:
            run = self.notebook if cell[1] == self._entry.path else None
            known = run is not None and run.has_line(int(cell[2]), int(number))
            return f"{cell[1]}[cell {int(cell[2])}]:{int(number)}" if known else ""
        return f"{path}:{int(number)}" if 1 <= int(number) <= len(content.splitlines()) else ""

    def next_seed(self) -> int:
        """The seed for the next call: candidates see it, so it is derived and not the secret one."""
        self._calls[self._group] += 1
        call = f"{self._seed}/{self._group}/call/{self._calls[self._group]}"
        digest = hashlib.blake2b(call.encode(), digest_size=4).digest()
        return int.from_bytes(digest, "big") >> 1

    def budget(self, cpu_s: float | None) -> float:
        """The CPU limit of the next call. Raises CandidateFault(TIMEOUT) once the task's own time is used up."""
        left = self.limits.task_cpu_s - self._earlier_cpu_s - (self._link.spent_cpu_s if self._link else 0.0)
        if left <= 0 or time.monotonic() - self._started - self._ours_s > self.limits.task_wall_s:
            raise CandidateFault(Outcome.TIMEOUT, TIME_LINE)
        return min(cpu_s or self.limits.call_cpu_s, left)

    def usage(self) -> tuple[float, int]:
        """CPU seconds and peak bytes of all sandboxes of this task."""
        cpu, peak = self._link.usage() if self._link is not None else (0.0, 0)
        return self._earlier_cpu_s + cpu, max(self._peak_bytes, peak)

    def random(self, name: str) -> np.random.Generator:
        """A generator of its own for `name`, from the run's secret seed: independent of the order of checks."""
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return np.random.default_rng([self._seed, int.from_bytes(digest, "big")])

    def shared(self, recipe: Callable[[Candidate], Any]) -> Callable[[], Any]:
        """`recipe` run once in a session that stays alive; run again only where a check killed that session."""
        kept: dict[str, Any] = {}

        def get() -> Any:
            if "fault" in kept:
                raise kept["fault"].with_traceback(None)  # it would grow with each check, and pytest reads it all
            if "session" not in kept or not kept["session"].usable:
                try:
                    candidate, kept["session"] = self.open()
                    kept["value"] = recipe(candidate)
                except CandidateFault as fault:
                    kept["fault"] = fault
                    if "session" in kept:
                        kept["session"].close()
                    raise
            return kept["value"]

        return get


def _files_body(content: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    import safetensors.numpy

    return safetensors.numpy.save({"files": content})
