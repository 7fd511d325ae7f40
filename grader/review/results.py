"""Stored results: the reports below a folder, each with its review. Reads only; grades nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.model import Json
from grader.reports.as_json import read_record
from grader.reports.reviewed import Place, places, reviewed
from grader.review.record import read_review, review_path

REPORT = "report.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One graded submission: where its report lies, the report, and what people decided."""

    path: Path
    record: Json
    review: Json
    places: Mapping[Place, Json]
    """Where a person can give points, with the machine's rows."""

    @property
    def id(self) -> str:
        """Of the submission."""
        name: str = self.record["submission"]["id"]
        return name

    @property
    def review_path(self) -> Path:
        """Of its review.json, whether it exists or not."""
        return review_path(self.path)

    @property
    def view(self) -> Json:
        """Machine and human scores side by side; the plain report where nobody reviewed."""
        return reviewed(self.record, self.review) if self.review["overrides"] else self.record


def load_result(path: Path) -> Result:
    """The result in the file `path`, with the review beside it. Raises UsageError where one of them cannot be read."""
    record = read_record(path)
    review = read_review(review_path(path), record["submission"]["id"])
    return Result(path=path, record=record, review=review, places=places(record))


def find_result(path: Path) -> Result:
    """The one result of a folder `OUT/<id>`, or of a report's file. Raises UsageError for none or several."""
    if not path.is_dir():
        return load_result(path)
    if (path / REPORT).is_file():
        return load_result(path / REPORT)
    below = _reports(path)
    if not below:
        raise UsageError(f"there is no report in {path}", hint="`grader grade -o OUT/<id>/report.json` writes one")
    raise UsageError(f"{path} holds {len(below)} reports", hint=f"name one of them, e.g. {below[0].parent}")


def find_results(out: Path) -> tuple[Result, ...]:
    """All results of a folder of `<id>/report.json`, by id; or the one of a folder `<id>`, or of a report's file.

    Raises UsageError where there is none, one cannot be read, or two are of submissions with the same id.
    """
    return in_order(load_result(path) for path in result_paths(out))


def in_order(results: Iterable[Result]) -> tuple[Result, ...]:
    """The results by id. Raises UsageError where two are of submissions with the same id."""
    seen: dict[str, Result] = {}
    for result in results:
        if result.id in seen:
            message = f"{seen[result.id].path} and {result.path} are both of {result.id}"
            raise UsageError(message, hint="give one of the two folders")
        seen[result.id] = result
    return tuple(seen[name] for name in sorted(seen))


def result_paths(out: Path) -> list[Path]:
    """The reports that `find_results` reads. Raises UsageError where there is none."""
    if not out.is_dir():
        return [out]
    if (out / REPORT).is_file():
        return [out / REPORT]
    paths = _reports(out)
    if not paths:
        raise UsageError(f"there is no report in {out}", hint="OUT is a folder of <id>/report.json")
    return paths


def _reports(out: Path) -> list[Path]:
    try:
        return sorted(path for path in out.glob(f"*/{REPORT}") if path.is_file())
    except OSError as error:
        raise UsageError(f"cannot read {out}: {error.strerror or error}") from error
