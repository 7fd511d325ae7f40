"""review.json: the overrides of one submission, beside its report. Entries are added, never changed or removed;
an entry can say that it takes back the one before it.

A writer holds a lock on the folder from reading to renaming, so that of two reviewers who save at once none is lost.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from grader.atomic import write_bytes
from grader.errors import UsageError
from grader.model import Json
from grader.reports.as_json import dumps
from grader.reports.reviewed import Place, place_of
from grader.schemas import violation
from grader.text import sanitize_line

SCHEMA_VERSION: Final = 1
MAX_REASON: Final = 2000
MAX_REVIEWER: Final = 100
_MAX_BYTES: Final = 32 * 1024**2
_LOCK_WAIT_S: Final = 10.0
"""A save takes milliseconds; who holds the lock for longer hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Points that a person gives at one place of a report."""

    place: Place
    points: float
    possible: float
    """What the place is worth in the report that was reviewed."""
    machine: float
    """What the machine had given."""
    reason: str
    reviewer: str
    at: str
    """UTC, ISO 8601."""
    submission_sha256: str
    withdrawn: bool = False
    """True for an entry that takes back the one in effect, so that what was before counts again."""


class ReviewConflict(UsageError):
    """Somebody else decided the same place since the reviewer looked; nothing was written."""


def review_path(report: Path) -> Path:
    """Where the review of a report lies: review.json beside report.json, x.review.json beside x.json."""
    return report.with_name("review.json" if report.name == "report.json" else f"{report.stem}.review.json")


def read_review(path: Path, submission: str) -> Json:
    """The review of that submission; one without entries where there is no file. Raises UsageError for another file."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return {"schema_version": SCHEMA_VERSION, "submission": submission, "overrides": []}
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    review = _parsed(data, path)
    problem = violation(review, "review")
    if not problem and review["submission"] != submission:
        problem = f"it is the review of {review['submission']}, not of {submission}"
    if problem:
        message = f"{path} is not a review: {problem}"
        raise UsageError(message, hint="mend it or move it away; human points are only in this file")
    return review


def _parsed(data: bytes, path: Path) -> Json:
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is longer than {_MAX_BYTES // 1024**2} MiB: this is no review of ours")
    try:
        review: Json = json.loads(data, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        message = f"cannot read the review {path}: {sanitize_line(str(error))}"
        raise UsageError(message, hint="mend it or move it away; human points are only in this file") from error
    return review


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """New overrides for one review."""

    submission: str
    overrides: Sequence[Override]
    seen: Mapping[Place, int] = field(default_factory=dict)
    """How many entries each place had when the reviewer looked at it; a place that is no key may have any number."""


def add_overrides(additions: Mapping[Path, Addition]) -> None:
    """Adds to each review.json what is new, to all or to none.

    Raises UsageError where one cannot be written, ReviewConflict where a place has entries that its reviewer never saw.
    """
    with ExitStack() as stack:
        for path in sorted(additions):  # one order for everybody, so that two writers cannot wait for each other
            stack.enter_context(_locked(path.parent))
        new = {path: _extended(path, addition) for path, addition in additions.items()}
        old = {path: path.read_bytes() if path.exists() else None for path in new}
        try:
            for path, data in new.items():
                write_bytes(path, data)
        except BaseException:
            _restore(old)
            raise


def _extended(path: Path, addition: Addition) -> bytes:
    """The review with the new entries at its end, as bytes."""
    review = read_review(path, addition.submission)
    counts = entry_counts(review)
    for place, count in addition.seen.items():
        if counts[place] != count:
            raise ReviewConflict(f"{place} was decided by somebody else since", hint="nothing was written; look again")
    review["overrides"] = [*review["overrides"], *map(_row, addition.overrides)]
    problem = violation(review, "review")
    if problem:
        raise UsageError(f"this does not make a review: {problem}", hint="nothing was written")
    return dumps(review).encode()


def entry_counts(review: Json) -> Counter[Place]:
    """How many entries each place has. Entries are never removed, so the number tells one state from another."""
    return Counter(map(place_of, review["overrides"]))


def _row(override: Override) -> Json:
    place = override.place
    where = {"question": place.question, "point": place.item} if place.question else {"check": place.item}
    names = ("points", "possible", "machine", "reason", "reviewer", "at", "submission_sha256")
    row = {"task": place.task, **where, **{name: getattr(override, name) for name in names}}
    return row | {"withdrawn": True} if override.withdrawn else row


def _restore(old: Mapping[Path, bytes | None]) -> None:
    """Puts back what was there, as far as that can still be done."""
    for path, data in old.items():
        with suppress(OSError, UsageError):
            if data is None:
                path.unlink(missing_ok=True)
            elif path.read_bytes() != data:
                write_bytes(path, data)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Holds an advisory lock on a folder, which leaves no lock file behind. Raises UsageError after a deadline."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}") from error
    try:
        _lock(descriptor, folder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + _LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                message = f"another process is saving a review in {folder}"
                raise UsageError(message, hint="nothing was written; try again") from error
            time.sleep(0.02)
        except OSError as error:
            raise UsageError(f"cannot lock {folder}: {error.strerror or error}", hint="nothing was written") from error
        else:
            return
