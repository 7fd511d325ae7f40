"""Writes a kit: whole or not at all, and never over something that is there."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from grader import __version__
from grader.atomic import cannot_write
from grader.errors import UsageError
from grader.kit.contents import public_files, work_files
from grader.kit.finding import WORK, Kit
from grader.kit.package import own_wheel
from grader.kit.readme import readmes
from grader.model import Task
from grader.task import KIT_FILE, KIT_TASKS, load_task

FORMAT = 1


def write_kit(tasks: Mapping[str, Task], target: Path) -> Kit:
    """Writes a kit of `tasks` to the folder `target`, which must be empty or absent.

    Raises UsageError where it is not, or cannot be written; TaskBroken where a task has no clear border between public
    and hidden.
    """
    root = target.resolve()
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(f"{target} exists and is not empty", hint="give a new folder: nothing is overwritten")
    files = _files(tasks)
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".grader-kit-", dir=root.parent) as folder:
            staged = Path(folder) / root.name
            digests = _stage(files, list(tasks), staged)
            _move(staged, root)
    except OSError as error:
        raise cannot_write(target, error) from error
    return Kit(root=root, digests=digests)


def _files(tasks: Mapping[str, Task]) -> dict[str, bytes]:
    """Everything but the kit's own record, by path."""
    wheel, packed = own_wheel()
    files: dict[str, bytes] = {wheel: packed}
    for name, task in tasks.items():
        public = public_files(task)
        files |= {f"{KIT_TASKS}/{name}/{path}": content for path, content in public.items()}
        for path, content in work_files(task, public).items():
            if files.setdefault(f"{WORK}/{path}", content) != content:
                raise UsageError(f"two tasks of the kit bring the file {path}", hint="make a kit for each")
    return files | {name: text.encode() for name, text in readmes(tasks, wheel).items()}


def _stage(files: Mapping[str, bytes], names: list[str], root: Path) -> dict[str, str]:
    """Writes the files and the record of the tasks as they will be read; gives their digests."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / WORK).mkdir(exist_ok=True)
    loaded = {name: load_task(root / KIT_TASKS / name) for name in names}
    rows = {name: {"version": task.version, "sha256": task.sha256} for name, task in loaded.items()}
    record = {"format": FORMAT, "grader": __version__, "tasks": rows}
    (root / KIT_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return {name: task.sha256 for name, task in loaded.items()}


def _move(staged: Path, root: Path) -> None:
    """Puts the folder in its place; rename is refused where somebody filled it meanwhile."""
    staged.chmod(0o755)
    if root.exists():
        root.rmdir()
    shutil.move(staged, root)
