"""Which submissions a change touches, by the names of what it changed."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.batch.discovery import RESERVED
from grader.ci.git import Change
from grader.errors import UsageError
from grader.submission import is_form, submission_id
from grader.text import sanitize_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A submission that the change touches."""

    id: str
    path: str
    """Relative to the repository; of a folder, an archive or a single file."""
    is_folder: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What is to grade, and what is there no more."""

    touched: tuple[Touched, ...]
    removed: tuple[str, ...] = ()
    """Paths of submissions that the change deleted or renamed."""


def find_touched(change: Change, folder: str, task_ids: Collection[str]) -> Found:
    """The submissions among the entries of `folder` (relative to the repository) that the change touches.

    Folders, archives and single source files are submissions; other files (a README) and hidden ones are not. A link
    is one, and intake refuses it. Raises UsageError where the folder itself is a link, or two have one id.
    """
    prefix = _inside(change.root, folder)
    names = {name for path in change.paths if (name := _entry(path, prefix))}
    touched, removed = [], []
    for name in sorted(names):
        path = f"{prefix}{name}"
        try:
            mode = os.lstat(change.root / path).st_mode
        except FileNotFoundError:
            removed.append(path)
            continue
        if stat.S_ISREG(mode) and not is_form(change.root / path):
            continue
        ident = submission_id(change.root / path, task_ids)
        touched.append(Touched(id=ident, path=path, is_folder=stat.S_ISDIR(mode)))
    _refuse_clashes(touched)
    return Found(touched=tuple(touched), removed=tuple(removed))


def find_single(change: Change, path: str, task_ids: Collection[str]) -> Found:
    """The one submission at `path` ("." for the whole repository), where the change touches anything of it."""
    prefix = _inside(change.root, path)
    place = prefix.rstrip("/") or "."
    if not any(changed.startswith(prefix) or changed == place for changed in change.paths):
        return Found(touched=())
    whole = change.root / place
    if not os.path.lexists(whole):
        return Found(touched=(), removed=(place,))
    one = Touched(id=submission_id(whole, task_ids), path=place, is_folder=whole.is_dir())
    return Found(touched=(one,))


def refuse_own_tests(change: Change, tasks_dir: Path) -> None:
    """Raises UsageError where the change touches the tasks by which it would be graded."""
    root, tasks = change.root.resolve(), tasks_dir.resolve()
    if not tasks.is_relative_to(root):
        return
    prefix = tasks.relative_to(root).as_posix() + "/"
    for path in change.paths:
        if path.startswith(prefix):
            message = f"the change touches {sanitize_line(path, 120)}, by which it would be graded"
            raise UsageError(message, hint="keep tasks outside the repository of submissions: --tasks-dir DIR")


def _inside(root: Path, folder: str) -> str:
    """`folder` as the start of the paths in it: "submissions/", or "" for the repository itself. No link on the way."""
    parts = PurePosixPath(folder).parts
    if PurePosixPath(folder).is_absolute() or ".." in parts:
        raise UsageError(
            f"{sanitize_line(folder, 120)} is not in the repository", hint="give a path relative to its top"
        )
    place = root
    for part in parts[:-1] if parts else ():
        place /= part
        _refuse_link(place, root)
    if parts and (root / folder).is_symlink():
        _refuse_link(root / folder, root)
    return "".join(f"{part}/" for part in parts)


def _refuse_link(place: Path, root: Path) -> None:
    if place.is_symlink():
        shown = sanitize_line(str(place.relative_to(root)), 120)
        raise UsageError(f"{shown} is a link: what it points to is not of this repository", hint="nothing was graded")


def _entry(path: str, prefix: str) -> str:
    """The entry of the folder that a changed path belongs to; "" for none."""
    if not path.startswith(prefix):
        return ""
    name = path[len(prefix) :].partition("/")[0]
    return "" if name.startswith(".") else name


def _refuse_clashes(touched: Iterable[Touched]) -> None:
    """Raises for two with one id (`ada/` and `ada.zip`), and for ids that would write over files of ours."""
    seen: dict[str, Touched] = {}
    for one in touched:
        if one.id.casefold() in RESERVED:
            raise UsageError(f"the name of {sanitize_line(one.path, 80)} is reserved", hint="rename it")
        other = seen.setdefault(one.id.casefold(), one)
        if other is not one:
            paths = f"{sanitize_line(other.path, 80)} and {sanitize_line(one.path, 80)}"
            raise UsageError(f"{paths} are both submissions with the id {one.id}", hint="rename or remove one")
