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
from grader.judge.tensors import Tensor
from grader.model import ArtifactFile, Outcome
from grader.text import sanitize_line

if TYPE_CHECKING:
    from grader.judge.bench import Bench
    from grader.judge.link import Link
    from grader.judge.session import Session

NOTEBOOK_CELL_CPU_S: Final = 60.0
NOTEBOOK_CPU_S: Final = 120.0
"""For all cells together."""
START_CPU_S: Final = 20.0
MAX_CELLS: Final = 1000
MAX_NOTES: Final = 30
MAX_ROWS: Final = 5000
MAX_KEPT_BYTES: Final = 48 * 1024**2
"""Of outputs, as they come: a runner that breaks its own caps costs us no more."""
ENDED: Final = "[The notebook ended in this cell; the report says why. The cells below did not run.]"
STATUSES: Final = ("ok", "error", "dead", "flood")


@dataclass(frozen=True, slots=True)
class CellEnd:
    """How one cell ended, as the kernel tells it."""

    status: str
    error: str
    notes: tuple[str, ...]
    outputs: Any
    """Of a form that only `clean_notebook` trusts."""


@dataclass
class NotebookRun:
    """The execution of one notebook. `notes` and `failed` are for people."""

    path: str
    seed: int
    notes: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    executed: bytes | None = None
    """The notebook as far as it was executed, cleaned; None where it could not be read."""
    fault: CandidateFault | None = None
    _link: Link | None = None
    _lines: list[str] = field(default_factory=list)
    _first: bool = True
    _record: list[list[Any]] = field(default_factory=list)
    _kept_bytes: int = 0
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
        finally:
            self._keep()
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
        self._lines, self.failed, self._record, self._kept_bytes = [], [], [], 0
        session = bench.new_session(link, "notebook", lambda: self.seed)
        try:
            cells = _cells(session.ask("notebook", {"entry": self.path}, self.seed, b"", START_CPU_S))
            self._record = [[kind, source, []] for kind, source, _ in cells]
            started, _ = link.usage()
            for row, (_, _, number) in zip(self._record, cells, strict=True):
                if number:
                    left = NOTEBOOK_CPU_S - (link.usage()[0] - started)
                    self._cell(session, link, number, left, row)
            session.ask("finish", {}, None, b"", START_CPU_S)
            reply = link.request({"verb": "settle", "session": session.number}, cpu_s=START_CPU_S)
            if reply.status != "ok":
                raise CandidateFault(  # noqa: TRY301 - it ends the session like any other fault
                    Outcome.CRASHED, "the notebook's kernel did not keep its state after the last cell"
                )
        except CandidateFault:
            session.close()
            raise
        session.alive = False  # it ended when it was settled

    def _keep(self) -> None:
        """What was executed the first time, for people, however it ended."""
        if self._first and self._record:
            self.executed, self._first = clean_notebook(self._record), False
            self._line_counts = _line_counts(self._record)

    def _cell(self, session: Session, link: Link, number: int, left_s: float, row: list[Any]) -> None:
        """Executes a code cell and puts its outputs into `row` of the record."""
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
            row[2] = [["error", ENDED]]
            raise
        self._kept_bytes += sum(_weight(output) for output in end.outputs)
        row[2] = list(end.outputs) if self._kept_bytes <= MAX_KEPT_BYTES else []
        if end.status not in ("ok", "error"):
            row[2].append(["error", ENDED])
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


def _cells(value: Any) -> list[tuple[str, str, int]]:
    """(kind, source, number or 0) of each cell; at most `MAX_CELLS` of them have a number."""
    rows = [_cell_row(row) for row in value] if isinstance(value, list) and len(value) <= MAX_ROWS else []
    cells = [row for row in rows if row is not None]
    if len(cells) < len(rows) or not 0 < sum(number > 0 for _, _, number in cells) <= MAX_CELLS:
        raise CandidateFault(Outcome.PROTOCOL, "the notebook's runner broke the protocol: no list of cells")
    return cells


def _cell_row(row: Any) -> tuple[str, str, int] | None:
    if not isinstance(row, list) or len(row) != 3:
        return None
    kind, source, number = row
    known = isinstance(kind, str) and isinstance(source, str) and type(number) is int and 0 <= number < 10**6
    return (kind, source, number) if known else None


def _weight(output: Any) -> int:
    """Bytes, roughly, of one output."""
    parts = output if isinstance(output, list) else []
    return 64 + sum(part.array.nbytes if isinstance(part, Tensor) else len(str(part)) for part in parts)


def _line_counts(record: list[list[Any]]) -> dict[int, int]:
    """Lines of each code cell, by its number."""
    sources = [source for kind, source, _ in record if kind == "code"]
    return {number: len(source.splitlines()) for number, source in enumerate(sources, 1)}


def _end(value: Any) -> CellEnd:
    fields: Mapping[str, Any] = value if isinstance(value, dict) else {}
    status, error, message = (fields.get(name) for name in ("status", "error", "message"))
    notes, outputs = fields.get("notes"), fields.get("outputs")
    texts = isinstance(error, str) and isinstance(message, str)
    if status not in STATUSES or not texts or not isinstance(notes, list) or not isinstance(outputs, list):
        raise CandidateFault(Outcome.PROTOCOL, "the notebook's runner broke the protocol: a cell ended in no known way")
    line = sanitize_line(f"{error}: {message}" if message else str(error), 200) or "an exception"
    return CellEnd(str(status), line, tuple(sanitize_line(str(note), 160) for note in notes), outputs)
