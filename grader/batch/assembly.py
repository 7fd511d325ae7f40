"""Puts the stored results of a submission's tasks together to its report, and the reports to summary and pages.

A report is a function of what is stored: made again, it is the same file. A review.json beside it is never touched.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import overload

from grader.atomic import write_text
from grader.errors import Ungraded, UsageError
from grader.model import Json, Report, Run, Submission, TaskStatus
from grader.reports.artifacts import save
from grader.reports.cells import MARK
from grader.reports.signature import signature_path
from grader.review.results import REPORT, Result, load_result
from grader.scoring import artifact_path, score_report
from grader.store import JobRow, Kept, Store

INDEX, SUMMARY = "index.html", "summary.csv"


def assemble(submission: Submission, parts: Sequence[Kept], run: Run) -> tuple[Report, dict[str, bytes]]:
    """The report of a submission and its artifacts by path. Times are those of the stored results."""
    results = [part.result for part in parts]
    started = min((part.started_at for part in parts if part.started_at), default=run.started_at)
    seconds = round(math.fsum(part.seconds for part in parts), 3)
    report = score_report(submission, results, replace(run, started_at=started, duration_s=seconds))
    files = {artifact_path(r.task.id, file): file.content for r in results for file in r.artifacts}
    return report, files


@contextlib.contextmanager
def _keeping() -> Iterator[None]:
    """Where a file cannot be written, a full disk say, all that was graded is still in the store: Ungraded says so."""
    try:
        yield
    except UsageError as error:
        hint = "make room there, then give the same command again: finished results are kept"
        raise Ungraded(error.message, hint=hint) from error


def write(report: Report, files: Mapping[str, bytes], folder: Path) -> str:
    """Writes a report and its artifacts; gives the SHA-256 of the report's file. Raises UsageError and Ungraded."""
    if folder.is_symlink():
        raise UsageError(f"{folder} is a link", hint="remove it; reports go to folders of their own")
    before = digest(folder / REPORT)
    with _keeping():
        save(report, files, folder / REPORT)
    if digest(folder / REPORT) != before:
        signature_path(folder / REPORT).unlink(missing_ok=True)  # it was of another report
    _remove_old(folder / "artifacts", {folder / "artifacts" / name for name in files})
    return digest(folder / REPORT)


def digest(path: Path) -> str:
    """SHA-256 of a file in hex; "" where it is not there, or is something that has no end, as a device."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    except OSError:
        return ""


def written(rows: Sequence[JobRow], out: Path) -> list[Path]:
    """The reports that lie there as they were written."""
    paths = {out / row.id / REPORT: row.report_sha256 for row in rows if row.report_sha256}
    return [path for path, sha256 in paths.items() if digest(path) == sha256]


def _remove_old(folder: Path, current: set[Path]) -> None:
    """Removes artifacts of an earlier grading, which no report names any more."""
    if folder.is_symlink():
        return
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in current:
            with contextlib.suppress(OSError):
                path.unlink()
        elif path.is_dir():
            with contextlib.suppress(OSError):  # not empty
                path.rmdir()


@dataclass(frozen=True, slots=True)
class Results(Sequence[Result]):
    """The stored results of a batch, each read when it is asked for: a thousand need the memory of one."""

    out: Path
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Result: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Result]: ...
    def __getitem__(self, index: int | slice) -> Result | Sequence[Result]:
        if isinstance(index, slice):
            return Results(self.out, self.ids[index])
        return load_result(self.out / self.ids[index] / REPORT)


@dataclass(frozen=True, slots=True)
class Views(Sequence[Json]):
    """Their records, machine and human scores side by side."""

    results: Results

    def __len__(self) -> int:
        return len(self.results)

    @overload
    def __getitem__(self, index: int) -> Json: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Json]: ...
    def __getitem__(self, index: int | slice) -> Json | Sequence[Json]:
        if isinstance(index, slice):
            return Views(Results(self.results.out, self.results.ids[index]))
        return self.results[index].view


def publish(out: Path, rows: Sequence[JobRow], store: Store, lang: str) -> list[Path]:
    """Writes summary.csv and the pages, unless nothing has changed since they were written; gives the first of each."""
    ids = [row.id for row in rows]
    places = [out / SUMMARY, out / INDEX]
    state = _state(out, rows, lang)
    if store.fact("published") == state and all(path.is_file() for path in places):
        return places
    results = Results(out, ids)
    with _keeping():
        written = [_summary(out, results), _pages(out, results, lang)]
    store.keep_fact("published", state)
    return written


def _state(out: Path, rows: Sequence[JobRow], lang: str) -> str:
    """Digest of all that the pages show: each report, each review, the language."""
    parts = [lang, *(f"{row.id} {row.report_key} {row.report_sha256}" for row in rows)]
    parts += [digest(out / row.id / "review.json") for row in rows]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _summary(out: Path, results: Results) -> Path:
    from grader.reports.as_csv import summary

    write_text(out / SUMMARY, MARK + summary(Views(results)))
    return out / SUMMARY


def _pages(out: Path, results: Results, lang: str) -> Path:
    from grader.reports.html.site import write_site

    write_site(out, results, lang=lang, audience="interviewer")
    return out / INDEX


def is_kept(row: JobRow | None, key: str, folder: Path) -> bool:
    """True where the report that lies in `folder` is the one that would be made now."""
    return row is not None and row.report_key == key != "" and row.report_sha256 == digest(folder / REPORT)


def is_lasting(kept: Kept) -> bool:
    """False where a result should be asked for again next time: an endpoint failed on a part of it, a GPU was taken."""
    gpu = kept.result.facts.gpu if kept.result.facts else None
    if gpu and gpu.get("passing"):
        return False
    points = (point for question in kept.result.questions for point in question.points)
    settled = kept.result.status in {TaskStatus.GRADED, TaskStatus.MISSING}
    return settled and not any(point.llm and point.llm.error for point in points)
