"""Grades the touched submissions as a batch, and writes what is published and what is kept."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.atomic import write_text
from grader.batch.command import Options, run_batch
from grader.batch.discovery import Found
from grader.ci.touched import Touched
from grader.config import Settings
from grader.errors import ExitCode, TaskBroken, Ungraded, UsageError
from grader.model import Json, Task
from grader.reports import as_json, as_junit, as_markdown
from grader.reports.annotations import Annotation, annotations_of, as_code_quality, as_commands
from grader.reports.audience import for_candidate
from grader.reports.look import Look
from grader.review.results import REPORT, load_result

JUNIT, SUMMARY, COMMANDS, QUALITY, RESULT = (
    "junit.xml", "summary.md", "annotations.txt", "codequality.json", "result.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A submission that was graded; `record` is for the audience that was asked for."""

    touched: Touched
    record: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """How the touched submissions are graded, for whom, and where whole reports go (None: nowhere)."""

    tasks: Mapping[str, Task]
    settings: Settings
    audience: str = "candidate"
    keep: Path | None = None
    jobs: int | None = None
    quiet: bool = False


@contextmanager
def nothing_quoted(audience: str) -> Iterator[None]:
    """Lets no text of a broken task into a log that candidates read: only which task it is, and how to see more."""
    try:
        yield
    except TaskBroken as error:
        if audience != "candidate":
            raise
        name = f"the task {error.task}" if error.task else "a task"
        hint = "`grader tasks list` with the same tasks says what is wrong; its text is not for candidates"
        raise TaskBroken(f"{name} is broken, so nothing was graded", hint=hint) from None


def grade_touched(root: Path, touched: Sequence[Touched], job: Job) -> list[Outcome]:
    """Grades each, several at a time, by a seed of this run; whole reports go to `job.keep`/<id>/report.json.

    Raises SandboxUnavailable where nothing can be run at all, and KeyboardInterrupt.
    """
    if not touched:
        return []
    with tempfile.TemporaryDirectory(prefix="grader-ci-") as name:
        folder = Path(name)
        found = [Found(id=one.id, path=root / one.path) for one in touched]
        public = job.audience == "candidate"
        options = Options(out=folder, jobs=job.jobs, fresh=True, quiet=job.quiet, public=public)
        if run_batch(found, job.tasks, job.settings, options).interrupted:
            raise KeyboardInterrupt
        return [_outcome(one, folder, job) for one in touched]


def _outcome(one: Touched, folder: Path, job: Job) -> Outcome:
    path = folder / one.id / REPORT
    if not path.is_file():
        raise Ungraded(f"{one.id} has no report", hint="its task could not be graded; run it again")
    if job.keep:
        try:
            shutil.copytree(path.parent, job.keep / one.id, dirs_exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot write {job.keep / one.id}: {error.strerror or error}") from error
    record = load_result(path).record
    return Outcome(touched=one, record=for_candidate(record) if job.audience == "candidate" else record)


def publish(outcomes: Sequence[Outcome], root: Path, out: Path, lang: str, exit_code: int) -> None:
    """Writes what anybody who reads the change may read: one text for each reader, and <id>.json."""
    look, records = Look(lang=lang), [one.record for one in outcomes]
    remarks = [remark for one in outcomes for remark in _remarks(one, root, lang)]
    texts: Mapping[str, str] = {
        JUNIT: as_junit.documents(records, look),
        SUMMARY: as_markdown.documents(records, look) if len(records) != 1 else as_markdown.document(records[0], look),
        COMMANDS: as_commands(remarks),
        QUALITY: as_code_quality(remarks),
        RESULT: as_json.dumps({"exit_code": exit_code, "submissions": [_row(one) for one in outcomes]}),
        **{f"reports/{one.touched.id}.json": as_json.dumps(one.record) for one in outcomes},
    }
    for name, text in texts.items():
        write_text(out / name, text)


def _row(one: Outcome) -> Json:
    record = one.record
    return {"id": record["submission"]["id"], "status": record["status"], "score": record["score"]}


def _remarks(one: Outcome, root: Path, lang: str) -> list[Annotation]:
    def has_file(name: str) -> bool:
        place = root / one.touched.path / name if one.touched.is_folder else root / one.touched.path
        return place.is_file() and (one.touched.is_folder or place.name == name)

    return annotations_of(one.record, one.touched.path, has_file, lang)


def exit_code_of(outcomes: Sequence[Outcome], fail_under: float | None) -> int:
    """Ours before the candidate's: what we could not grade says nothing about the change."""
    statuses = {one.record["status"] for one in outcomes}
    if "ungraded" in statuses:
        return ExitCode.UNGRADED
    if "rejected" in statuses:
        return ExitCode.USAGE
    low = fail_under is not None and any(one.record["score"]["percent"] < fail_under for one in outcomes)
    return ExitCode.BELOW_THRESHOLD if low else ExitCode.GRADED
