"""Tasks in an installed package: how an organisation keeps its hidden tests in a private package index.

A package is found only where its name is given, never by being installed, and its code is not run: the folder is all
that is asked for. It names itself in the entry-point group `grader.tasks`:

    [project.entry-points."grader.tasks"]
    acme = "acme_interviews"
"""

from __future__ import annotations

import importlib.util
from importlib.metadata import entry_points
from pathlib import Path

from grader.errors import UsageError
from grader.text import sanitize_line

GROUP = "grader.tasks"


def tasks_of(name: str) -> Path:
    """The folder with the tasks of the entry point `name`: `tasks/` in its package, else the package's own folder.

    Raises UsageError where nothing is installed under that name, or its package has no folder.
    """
    found = {point.name: point.value for point in entry_points(group=GROUP)}
    if name not in found:
        hint = f"installed: {', '.join(sorted(found))}" if found else f"no installed package has the group {GROUP!r}"
        raise UsageError(f"no installed package offers the tasks {sanitize_line(name, 60)!r}", hint=hint)
    root = _folder(found[name])
    return root / "tasks" if (root / "tasks").is_dir() else root


def _folder(package: str) -> Path:
    """The folder of a top-level package; looking for it runs none of its code."""
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise UsageError(f"{sanitize_line(package, 60)!r} is no package with a folder", hint=f"see the group {GROUP}")
    return Path(places[0])
