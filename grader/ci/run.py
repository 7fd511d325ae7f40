"""Grades the touched submissions one after the other, and writes what is published and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.atomic import write_text
from grader.ci.touched import Touched
from grader.errors import ExitCode, GraderError, SubmissionRejected
from grader.model import CheckResult, Json, Report, ReportStatus
from grader.pipeline import Graded, Request, grade
from grader.reports import as_json, as_junit, as_markdown
from grader.reports.annotations import Annotation, annotations_of, as_code_quality, as_commands
from grader.reports.artifacts import save
from grader.reports.audience import for_candidate
from grader.reports.look import Look

JUNIT, SUMMARY, COMMANDS, QUALITY, RESULT = (
    "junit.xml", "summary.md", "annotations.txt", "codequality.json", "result.json",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A submission that was graded; `record` is for the audience that was asked for."""

    touched: Touched
    report: Report
    record: Json
    error: GraderError | None = None


def grade_touched(
    root: Path, touched: Sequence[Touched], request: Request, audience: str, keep: Path | None = None,
    on_check: Callable[[str, CheckResult], None] | None = None,
) -> list[Outcome]:  # fmt: skip
    """Grades each; whole reports go to `keep`/<id>/report.json where that is given.

    Raises SandboxUnavailable where nothing can be run at all.
    """
    outcomes = []
    for one in touched:
        graded = grade(root / one.path, request, on_check)
        report = _kept(graded, keep / graded.report.submission.id / "report.json") if keep else graded.report
        record = as_json.to_json(report)
        shown = for_candidate(record) if audience == "candidate" else record
        outcomes.append(Outcome(touched=one, report=report, record=shown, error=graded.error))
    return outcomes


def _kept(graded: Graded, path: Path) -> Report:
    return save(graded.report, graded.files, path)


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
        **{f"reports/{one.report.submission.id}.json": as_json.dumps(one.record) for one in outcomes},
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
    ours = [one.error for one in outcomes if one.error and not isinstance(one.error, SubmissionRejected)]
    if ours:
        return ours[0].exit_code
    if any(one.report.status is ReportStatus.REJECTED for one in outcomes):
        return ExitCode.USAGE
    low = fail_under is not None and any(one.report.score.percent < fail_under for one in outcomes)
    return ExitCode.BELOW_THRESHOLD if low else ExitCode.GRADED
