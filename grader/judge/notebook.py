"""Has a notebook executed, once for each sandbox, before the first check; later checks get copies of its state.

Each cell is a request with a CPU limit of its own, so whatever ends one has its number. Cells are counted as code
cells from the top, text cells left out: the number that Jupyter shows as In [n] after a clean run without blank cells.
A notebook that cannot be executed fails every check with the same line, without being run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from grader.judge.cleaning import clean_notebook
from grader.judge.faults import CandidateFault
from grader.model import ArtifactFile, Outcome
from grader.text import sanitize_line

if TYPE_CHECKING:
    from grader.judge.bench import Bench, Session
    from grader.judge.link import Link

NOTEBOOK_CELL_CPU_S: Final = 60.0
NOTEBOOK_CPU_S: Final = 120.0
"""For all cells together."""
START_CPU_S: Final = 20.0
MAX_CELLS: Final = 1000
MAX_NOTES: Final = 30
STATUSES: Final = ("ok", "error", "dead", "flood")


@dataclass(frozen=True, slots=True)
class CellEnd:
    """How one cell ended, as the kernel tells it."""

    status: str
    error: str
    notes: tuple[str, ...]


@dataclass
class NotebookRun:
    """The execution of one notebook. `notes` and `failed` are for people."""

    path: str
    seed: int
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    executed: bytes | None = None
    """The executed notebook, cleaned; None until it was executed."""
    fault: CandidateFault | None = None
    _link: Link | None = None
    _lines: list[str] = field(default_factory=list)
    _first: bool = True
    _line_counts: Mapping[int, int] = field(default_factory=dict)

    def ensure(self, bench: Bench, link: Link) -> None:
        """Executes it unless `link` has done so. Raises CandidateFault, the same each time; SandboxDown."""
        if self.fault is not None:
            raise self.fault.with_traceback(None)
        if self._link is link:
            return
        try:
            self._execute(bench, link)
        except CandidateFault as fault:
            self.fault = fault
            raise
        self._link = link

    def has_line(self, cell: int, line: int) -> bool:
        """True for a line of a code cell as it was executed: what a check says later names no other."""
        return 1 <= line <= self._line_counts.get(cell, 0)

    def explain(self, fault: CandidateFault) -> CandidateFault:
        """A fault of a later check; where something is not there, the cells that failed may be why."""
        if fault.outcome is Outcome.INVALID and self.failed:
            fault.message = f"{fault.message} ({'; '.join(self.failed[:3])})"
            fault.args = (fault.message,)
        return fault

    def _execute(self, bench: Bench, link: Link) -> None:
        self._lines, self.failed = [], []
        session = bench.new_session(link, "notebook", lambda: self.seed)
        try:
            numbers = _numbers(session.ask("notebook", {"entry": self.path}, self.seed, b"", START_CPU_S))
            started, _ = link.usage()
            for number in numbers:
                left = NOTEBOOK_CPU_S - (link.usage()[0] - started)
                self._cell(session, link, number, left)
            record = session.ask("finish", {}, None, b"", START_CPU_S)
            reply = link.request({"verb": "settle", "session": session.number}, cpu_s=START_CPU_S)
            if reply.status != "ok":
                raise CandidateFault(  # noqa: TRY301 - it ends the session like any other fault
                    Outcome.CRASHED, "the notebook's kernel did not keep its state after the last cell"
                )
        except CandidateFault:
            session.close()
            raise
        session.alive = False  # it ended when it was settled
        if self._first:
            self.executed, self._first = clean_notebook(record), False
            self._line_counts = _line_counts(record)

    def _cell(self, session: Session, link: Link, number: int, left_s: float) -> None:
        place = f"code cell {number}"
        if left_s <= 0:
            raise CandidateFault(
                Outcome.TIMEOUT, f"{place} was not reached: the cells used more than {NOTEBOOK_CPU_S:g} s of CPU time"
            )
        try:
            limit = min(NOTEBOOK_CELL_CPU_S, left_s)
            end = _end(session.ask("cell", {"cell": number}, None, b"", limit))
        except CandidateFault as fault:
            fault.message = f"{place}: {fault.message.replace('the call', 'the cell')}"
            fault.args = (fault.message,)
            raise
        self._note(place, end)
        if end.status == "flood":
            raise CandidateFault(Outcome.OUTPUT_LIMIT, f"{place} printed more than the output limit")
        if end.status == "dead":
            if link.out_of_memory():
                raise CandidateFault(Outcome.MEMORY, f"{place} used more memory than the limit")
            raise CandidateFault(Outcome.CRASHED, f"{place} ended the notebook's kernel")

    def _note(self, place: str, end: CellEnd) -> None:
        if end.status == "error":
            self.failed.append(f"{place} raised {end.error}")
        new = [f"{place} raised {end.error}"] if end.status == "error" else []
        self._lines += [*new, *(f"{place}: {note}" for note in end.notes)]
        del self._lines[MAX_NOTES:]
        if self._first:
            self.notes = self._lines


def executed_notebook(content: bytes) -> ArtifactFile:
    """The artifact, under a name of ours."""
    return ArtifactFile(name="notebook", media_type="application/x-ipynb+json", suffix=".ipynb", content=content)


def notebook_seed(seed: int) -> int:
    """What the cells are seeded with: derived, because candidates see it."""
    digest = hashlib.blake2b(f"{seed}/notebook".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1


def _numbers(value: Any) -> list[int]:
    if isinstance(value, list) and len(value) <= MAX_CELLS and all(type(n) is int and 0 < n < 10**6 for n in value):
        return value
    raise CandidateFault(Outcome.PROTOCOL, "the notebook's runner broke the protocol: no list of cells")


def _line_counts(record: Any) -> dict[int, int]:
    """Lines of each code cell, by its number."""
    rows = record if isinstance(record, list) else []
    sources = [row[1] for row in rows if isinstance(row, list) and len(row) == 3 and row[0] == "code"]
    return {number: len(str(source).splitlines()) for number, source in enumerate(sources, 1)}


def _end(value: Any) -> CellEnd:
    fields: Mapping[str, Any] = value if isinstance(value, dict) else {}
    status, error, message = (fields.get(name) for name in ("status", "error", "message"))
    notes = fields.get("notes")
    texts = isinstance(error, str) and isinstance(message, str)
    if status not in STATUSES or not texts or not isinstance(notes, list):
        raise CandidateFault(Outcome.PROTOCOL, "the notebook's runner broke the protocol: a cell ended in no known way")
    line = sanitize_line(f"{error}: {message}" if message else str(error), 200) or "an exception"
    return CellEnd(str(status), line, tuple(sanitize_line(str(note), 160) for note in notes))
