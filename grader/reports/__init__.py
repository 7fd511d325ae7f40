"""What people and programs read of a `Report`. `as_json` is the record; every other form is made from its dict.

A writer sees no submission and no task, only the record, so that results can be shown again without grading again.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.reports.look import FolderWriter, ManyWriter, Writer

WRITERS = {
    "text": "grader.reports.as_text",
    "json": "grader.reports.as_json",
    "csv": "grader.reports.as_csv",
    "junit": "grader.reports.as_junit",
    "gradescope": "grader.reports.as_gradescope",
    "markdown": "grader.reports.as_markdown",
}
"""The formats of `grader report` by name. Each module has `document`, a `look.Writer` of one record.

What a module does with many submissions it says by having one more function: `documents`, a `look.ManyWriter`, puts
them into one text (csv, junit, markdown); `files`, a `look.FolderWriter`, makes a folder of them (gradescope). A
format with neither shows one submission at a time.
"""


def writer(name: str) -> Writer:
    """The writer of a format. Raises UsageError; its module is imported here and not before."""
    return _module(name).document  # type: ignore[no-any-return]  # each module defines it


def many_writer(name: str) -> ManyWriter | None:
    """The writer of many submissions into one text; None where the format has none."""
    return getattr(_module(name), "documents", None)


def folder_writer(name: str) -> FolderWriter | None:
    """The writer of many submissions into a folder; None where the format has none."""
    return getattr(_module(name), "files", None)


def _module(name: str) -> ModuleType:
    from importlib import import_module

    if name not in WRITERS:
        raise UsageError(f"unknown format {name!r}", hint=f"one of: {', '.join(WRITERS)}")
    return import_module(WRITERS[name])
