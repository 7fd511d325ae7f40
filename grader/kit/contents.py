"""What of a task is public. What is not named here stays behind: a file added to a task later is private until then.

Nothing hidden may come along by accident either: a link, or a file with the content of one that is not public, is a
fault of the task and stops the kit.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from grader.errors import TaskBroken
from grader.model import Json, Task
from grader.task import CACHES, TASK_FILE

ANSWERS_TEMPLATE = "answers_template.md"
FILES = ("PROMPT.md", "PROMPT.zh.md", ANSWERS_TEMPLATE)
FOLDERS = ("public", "starter")
_KEYS = ("id", "version", "kind", "gpu", "points_per_question", "title", "limits", "criteria")
"""Of task.toml; comments stay behind, too."""


def public_files(task: Task) -> dict[str, bytes]:
    """The public files of a task by relative path; task.toml written anew. Raises TaskBroken."""
    root = Path(task.root)
    paths = sorted(path for path in _tree(root) if path.parts[0] in FOLDERS or path.as_posix() in FILES)
    files = {path.as_posix(): (root / path).read_bytes() for path in paths}
    _refuse_copies(root, files)
    return {TASK_FILE: _public_table(root).encode(), **files}


def work_files(task: Task, files: dict[str, bytes]) -> dict[str, bytes]:
    """What lies ready in the folder that the candidate works in: the starter, or the template of the answers."""
    if task.kind == "written":
        return {"answers.md": files[ANSWERS_TEMPLATE]} if ANSWERS_TEMPLATE in files else {}
    starters = {PurePosixPath(path): content for path, content in files.items() if path.startswith("starter/")}
    return {path.relative_to("starter").as_posix(): content for path, content in starters.items()}


def _tree(root: Path) -> Iterator[PurePosixPath]:
    """The files of a task, without what tools leave behind. Raises TaskBroken for a link among the public ones."""
    for path in root.rglob("*"):
        inner = PurePosixPath(path.relative_to(root).as_posix())
        if CACHES.intersection(inner.parts) or path.suffix == ".pyc":
            continue
        if path.is_symlink() and (inner.parts[0] in FOLDERS or inner.as_posix() in FILES):
            raise TaskBroken(f"{path} is a link", hint="put the file itself there: a kit follows no links")
        if path.is_file() and not path.is_symlink():
            yield inner


def _refuse_copies(root: Path, files: dict[str, bytes]) -> None:
    """Raises where a file that goes out has the content of one that stays: it would not be hidden any more."""
    out = {hashlib.sha256(content).digest(): path for path, content in files.items() if content.strip()}
    for inner in _tree(root):
        if inner.as_posix() not in files and (twin := out.get(hashlib.sha256((root / inner).read_bytes()).digest())):
            raise TaskBroken(
                f"{root.name}: {twin} is the same file as {inner}, which is not public",
                hint="keep it in one place: the hidden suite may read what is in public/",
            )


def _public_table(root: Path) -> str:
    """task.toml with the public keys alone. Its form is fixed by the schema, which load_task has checked."""
    table = tomllib.loads((root / TASK_FILE).read_text(encoding="utf-8"))
    plain = [f"{key} = {_value(table[key])}" for key in _KEYS if key in table and not isinstance(table[key], list)]
    rows = [f"\n[[criteria]]\n{_rows(row)}" for row in table.get("criteria", [])]
    return "\n".join([*plain, *rows]) + "\n"


def _rows(table: Json) -> str:
    return "\n".join(f"{key} = {_value(value)}" for key, value in table.items())


def _value(value: object) -> str:
    """A string, a number or a table of these as TOML; a JSON string is a TOML string."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
