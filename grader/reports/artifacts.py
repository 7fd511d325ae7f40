"""Keeps a report's artifacts beside it. Paths and names are ours; a report says where its own lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from grader.atomic import write_bytes
from grader.model import Report
from grader.reports.as_json import write_report


def save(report: Report, files: Mapping[str, bytes], path: Path) -> Report:
    """Writes the artifacts, then the report to `path`, which names only what is there; gives the report as written.

    They lie in `artifacts/` beside a report.json, in `<name>.artifacts/` beside a report of another name, so that
    several reports may share a folder. Raises UsageError where a place cannot be written.
    """
    folder = "artifacts" if path.name == "report.json" else f"{path.stem}.artifacts"
    regular = not path.exists() or path.is_file()  # nothing lies beside a pipe or /dev/stdout
    if regular:
        for name, content in files.items():
            write_bytes(path.parent / folder / name, content)
    tasks = tuple(
        replace(
            task,
            artifacts=tuple(
                replace(row, path=f"{folder}/{row.path}", sha256=sha256(files[row.path]).hexdigest())
                for row in task.artifacts
                if regular and row.path in files
            ),
        )
        for task in report.tasks
    )
    kept = replace(report, tasks=tasks)
    write_report(kept, path)
    return kept
