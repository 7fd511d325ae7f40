"""What people and programs read of a `Report`. `as_json` is the record; every other form is made from its dict.

A writer sees no submission and no task, only the record, so that results can be shown again without grading again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.reports.look import Writer

WRITERS = {
    "text": "grader.reports.as_text",
    "json": "grader.reports.as_json",
    "csv": "grader.reports.as_csv",
}
"""The formats of `grader report` by name: each module has a function `document`, a `look.Writer`."""


def writer(name: str) -> Writer:
    """The writer of a format. Raises UsageError; its module is imported here and not before."""
    from importlib import import_module

    if name not in WRITERS:
        raise UsageError(f"unknown format {name!r}", hint=f"one of: {', '.join(WRITERS)}")
    return import_module(WRITERS[name]).document  # type: ignore[no-any-return]  # each module defines it
