"""Which submissions a folder holds, by name alone: nothing is opened here.

Two that would write to one place (`ada/` and `ada.zip`, `Ada/` on another file system) stop a batch before it starts: a
guess would show one person's points under another's name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.errors import UsageError
from grader.submission import is_form, listed, refuse_single, submission_id
from grader.text import sanitize_line

RESERVED: Final = frozenset(
    "index.html summary.csv store.sqlite report.json review.json artifacts assets static data".split()
) | {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(10))}
"""Names in OUT that are not a submission's, and those that are devices where OUT may be copied to."""
_NOISE: Final = re.compile(r"\..*|__.*__|lost\+found|thumbs\.db|desktop\.ini", re.IGNORECASE)
"""What systems and tools leave in a folder; never a submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A submission that is there."""

    id: str
    path: Path
    tasks: tuple[str, ...] = ()
    """The tasks that it is graded for; () for all of the batch."""


def find_submissions(folder: Path, task_ids: Collection[str], out: Path | None = None) -> tuple[list[Found], list[str]]:
    """The submissions in `folder`, by id, and the names of files that are none; `out` in it is not one.

    Raises UsageError where there are none, two have one id, an id is reserved, or `out` is the folder itself.
    """
    target = out.resolve() if out else None
    if target == folder.resolve():
        raise UsageError(f"{folder} cannot be DIR and OUT at once", hint="reports go to a folder of their own: -o OUT")
    paths = [p for p in listed(folder) if not _NOISE.fullmatch(p.name) and p.resolve() != target]
    refuse_single(folder, paths, task_ids)
    found = [Found(id=submission_id(path, task_ids), path=path) for path in paths if is_form(path)]
    if not found:
        message = f"there are no submissions in {folder}"
        raise UsageError(message, hint="expected folders, .zip, .tar.gz, .tgz or .tar archives, .py or .ipynb files")
    _refuse_clashes(found)
    return sorted(found, key=lambda one: one.id), [path.name for path in paths if not is_form(path)]


def _refuse_clashes(found: list[Found]) -> None:
    """Raises for the first id that is reserved or taken, upper and lower case being the same."""
    taken: dict[str, Found] = {}
    for one in found:
        key = one.id.casefold()
        if key in RESERVED:
            message = f"the name of {_shown(one)} is reserved"
            raise UsageError(message, hint="rename it; nothing was graded")
        if key in taken:
            message = f"{_shown(taken[key])} and {_shown(one)} are both submissions with the id {one.id!r}"
            raise UsageError(message, hint="rename or remove one; nothing was graded")
        taken[key] = one


def _shown(one: Found) -> str:
    return repr(sanitize_line(one.path.name, 80) + ("/" if one.path.is_dir() else ""))
