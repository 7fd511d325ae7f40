"""report.json: the record of a submission. It loads back equal, and every string in it is clean.

The fields are those of `schemas/report.schema.json`; `grader.reports.audience` removes what only interviewers may read.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any

from grader.atomic import write_text
from grader.errors import GraderError, UsageError
from grader.model import (
    Artifact,
    Diagnosis,
    Json,
    Limits,
    Outcome,
    Report,
    ReportStatus,
    Resources,
    Run,
    ScoredCheck,
    ScoredCriterion,
    ScoredTask,
    SubmissionInfo,
    TaskStatus,
    Visibility,
)
from grader.reports.look import Look
from grader.reports.rows import point_fields, row_of, score_back, score_of, text_back, text_fields
from grader.reports.written_json import question_from_json, question_to_json
from grader.schemas import violation
from grader.text import sanitize_line, sanitize_text

SCHEMA_VERSION = 1
_MAX_STRING = 16 * 1024
_MAX_DEPTH = 12
_MAX_ITEMS = 2000
"""Of any list or table. What a worker says about itself lands here too: hostile data must not fill a disk."""
_fitting: set[bytes] = set()
"""SHA-256 of files that this process found to fit the schema, or wrote: that takes longer than all else about them."""


def to_json(report: Report) -> Json:
    """The record for interviewers: plain JSON values, strings clean and capped, numbers finite."""
    record = {
        "schema_version": SCHEMA_VERSION,
        "audience": "interviewer",
        "grader": {"version": report.grader_version},
        "submission": row_of(report.submission),
        "status": report.status,
        "reason": report.reason,
        "score": score_of(report.score),
        "run": row_of(report.run),
        "tasks": [_task(task) for task in report.tasks],
    }
    clean: Json = _clean(record)
    return clean


def from_json(record: Json) -> Report:
    """The report of an interviewer's record. Raises UsageError where the record does not fit the schema."""
    version = record.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION and "grader" in record:
        message = f"a report of a newer version: schema_version {version}, this grader reads {SCHEMA_VERSION}"
        raise UsageError(message, hint="update grader")
    problem = violation(record, "report")
    if not problem and record["audience"] != "interviewer":
        problem = "this is a candidate's copy, which has no scores of hidden checks by name"
    if problem:
        message = f"not a report: {problem}"
        raise UsageError(message, hint="give the report.json that `grader grade` or `grader batch` wrote")
    return _report_back(record)


def _report_back(record: Json) -> Report:
    submission = record["submission"]
    return Report(
        grader_version=record["grader"]["version"],
        submission=SubmissionInfo(**{**submission, "notes": tuple(submission["notes"])}),
        status=ReportStatus(record["status"]),
        score=score_back(record["score"]),
        run=Run(**record["run"]),
        tasks=tuple(_task_back(task) for task in record["tasks"]),
        reason=record["reason"],
    )


def write_report(report: Report, path: Path) -> None:
    """Writes the record to `path`, whole or not at all. Raises UsageError where the place cannot be written."""
    record = to_json(report)
    problem = violation(record, "report")
    if problem:
        message = f"the report does not fit its schema: {problem}"
        raise GraderError(message, hint="a bug in grader; nothing was written")
    text = dumps(record | {"digest": digest_of(record)})
    write_text(path, text)
    _fitting.add(sha256(text.encode()).digest())


def canonical(record: Json) -> bytes:
    """A record without its digest as bytes that spaces, line breaks and the order of keys do not change."""
    rest = {name: value for name, value in record.items() if name != "digest"}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_of(record: Json) -> str:
    """SHA-256 (hex) over the canonical bytes."""
    return sha256(canonical(record)).hexdigest()


def read_report(path: Path) -> Report:
    """The report in the file `path`. Raises UsageError where there is none or it is not one."""
    record, digest = _stored(path)
    if digest in _fitting:
        return _report_back(record)
    try:
        report = from_json(record)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint) from error
    _fitting.add(digest)
    return report


def read_stored(path: Path) -> Json:
    """What the file `path` holds, to the letter; a name given twice is refused. Raises UsageError for no JSON."""
    return _stored(path)[0]


def _stored(path: Path) -> tuple[Json, bytes]:
    """The record in a file, and the digest of its bytes."""
    try:
        raw = path.read_bytes()
        record = json.loads(raw.decode("utf-8"), object_pairs_hook=_object)
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else f"no JSON, {sanitize_line(str(error))}"
        raise UsageError(f"cannot read the report {path}: {why}", hint="give a report.json, or its folder") from error
    digest = sha256(raw).digest()
    return (record if isinstance(record, dict) else {"": record}), digest  # no object: the schema says what is missing


def _object(pairs: list[tuple[str, Any]]) -> Json:
    """An object of JSON. Of a name given twice each reader would believe another value."""
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("an object has one name twice")
    return row


def read_record(path: Path) -> Json:
    """The machine's record in the file `path`, clean as if just graded. Raises UsageError as `read_report`."""
    return to_json(read_report(path))


def document(record: Json, _look: Look) -> str:
    """The record itself, for `grader report --format json`."""
    return dumps(record)


def dumps(record: Json) -> str:
    """A record as text: indented, readable in any language, ending with a newline."""
    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _task(task: ScoredTask) -> Json:
    return {
        "task": task.id,
        "version": task.version,
        **text_fields("title", task.title),
        "sha256": task.sha256,
        "status": task.status,
        "reason": task.reason,
        "score": score_of(task.score),
        "resources": row_of(task.resources),
        "limits": row_of(task.limits),
        "criteria": [
            {"id": row.id, **text_fields("title", row.title), **point_fields(row.score)} for row in task.criteria
        ],
        "checks": [_check(check) for check in task.checks],
        "questions": [question_to_json(question) for question in task.questions],
        "diagnosis": [_diagnosis(row) for row in task.diagnosis],
        "artifacts": [row_of(row) for row in task.artifacts],
        "notes": list(task.notes),
    }


def _task_back(row: Json) -> ScoredTask:
    return ScoredTask(
        id=row["task"],
        version=row["version"],
        title=text_back("title", row),
        sha256=row["sha256"],
        status=TaskStatus(row["status"]),
        reason=row["reason"],
        score=score_back(row["score"]),
        resources=Resources(**row["resources"]),
        limits=Limits(**row["limits"]),
        criteria=tuple(
            ScoredCriterion(id=line["id"], title=text_back("title", line), score=score_back(line))
            for line in row["criteria"]
        ),
        checks=tuple(_check_back(check) for check in row["checks"]),
        questions=tuple(question_from_json(question) for question in row["questions"]),
        diagnosis=tuple(_diagnosis_back(line) for line in row["diagnosis"]),
        artifacts=tuple(Artifact(**line) for line in row["artifacts"]),
        notes=tuple(row.get("notes", ())),  # reports of earlier versions have none
    )


def _diagnosis(row: Diagnosis) -> Json:
    return {
        "id": row.id,
        **text_fields("bug", row.bug),
        "confidence": row.confidence,
        "evidence": row.evidence,
        **text_fields("question", row.question),
    }


def _diagnosis_back(row: Json) -> Diagnosis:
    return Diagnosis(
        id=row["id"],
        bug=text_back("bug", row),
        question=text_back("question", row),
        confidence=row["confidence"],
        evidence=row["evidence"],
    )


def _check(check: ScoredCheck) -> Json:
    return {
        "id": check.id,
        "criterion": check.criterion,
        **text_fields("title", check.title),
        "visibility": check.visibility,
        "outcome": check.outcome,
        **point_fields(check.score),
        "message": check.message,
        **text_fields("hint", check.hint),
        "location": check.location,
        "exception": check.exception,
        **({"memory": check.memory} if check.memory else {}),
        "output": check.output,
        "duration_s": check.duration_s,
        "cpu_s": check.cpu_s,
    }


def _check_back(row: Json) -> ScoredCheck:
    same = ("id", "criterion", "message", "location", "exception", "output", "duration_s", "cpu_s")
    return ScoredCheck(
        **{name: row[name] for name in same},
        title=text_back("title", row),
        hint=text_back("hint", row),
        visibility=Visibility(row["visibility"]),
        outcome=Outcome(row["outcome"]),
        score=score_back(row),
        memory=row.get("memory", ""),
    )


def _clean(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 -- any JSON value
    """`value` as plain JSON: strings sanitised, floats finite (else null), lists and depth capped."""
    if isinstance(value, str):
        return sanitize_text(str(value) if isinstance(value, StrEnum) else value, _MAX_STRING)
    if isinstance(value, bool | int | float):
        return value if math.isfinite(value) else None
    if depth >= _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        rows = list(value.items())[:_MAX_ITEMS]
        return {sanitize_line(str(key), 200): _clean(item, depth + 1) for key, item in rows}
    if isinstance(value, list | tuple):
        return [_clean(item, depth + 1) for item in value[:_MAX_ITEMS]]
    return None
