"""Tasks from disk: one folder each, checked at the door so that nothing later meets a broken one.

Only `task.toml` and the layout are read here. The suites stay closed until the judge collects them: importing them
is running our own code, but it costs time that `grader tasks list` should not take.
"""

from __future__ import annotations

import difflib
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

from grader.digest import digest_files
from grader.errors import TaskBroken, UsageError
from grader.model import Bug, Criterion, Json, Limits, Task, Text
from grader.schemas import violation
from grader.text import sanitize_line

TASK_FILE = "task.toml"
BUGS_FILE = "hidden/bugs.toml"
KIT_FILE, KIT_TASKS = "grader-kit.json", "tasks"
"""What marks a candidate's kit, and the folder of its tasks: `--tasks-dir` may name either."""
CACHES = frozenset({"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".DS_Store"})
_MIB = 1024**2


def load_task(root: Path) -> Task:
    """The task in the folder `root`. `hidden/` may be absent: a candidate's kit has none.

    Raises UsageError where there is no task; TaskBroken, with the file, the key and what is expected, where it is
    wrong.
    """
    path = root / TASK_FILE
    if not path.is_file():
        message = f"there is no task in {root}"
        raise UsageError(message, hint=f"a task is a folder with a {TASK_FILE}")
    table = _read_table(path, "task")
    kind = table.get("kind", "code")
    _check_layout(root, kind)
    return Task(
        id=table["id"],
        version=table["version"],
        title=_text(table["title"]),
        root=str(root.resolve()),
        criteria=_questions(root, table) if kind == "written" else _criteria(table["criteria"], path),
        limits=_limits(table.get("limits", {})),
        kind=kind,
        gpu=table.get("gpu", "none"),
        sha256=digest_files(task_files(root)),
        bugs=_bugs(root / BUGS_FILE),
    )


def find_tasks(tasks_dir: Path) -> dict[str, Task]:
    """All tasks in `tasks_dir`, by id, sorted. Raises UsageError where there are none."""
    tasks_dir = _folder(tasks_dir)
    return {task_id: _load_named(tasks_dir, task_id) for task_id in _names(tasks_dir)}


def load_tasks(tasks_dir: Path, ids: Iterable[str] = ()) -> dict[str, Task]:
    """The tasks called `ids`, in that order, once each; all of them where `ids` is empty.

    Only these are opened, so that a broken task does not stop another. Raises UsageError for an unknown one.
    """
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return find_tasks(tasks_dir)
    tasks_dir = _folder(tasks_dir)
    known = _names(tasks_dir)
    for task_id in wanted:
        if task_id not in known:
            near = difflib.get_close_matches(task_id, known, n=1)
            guess = f"did you mean {near[0]!r}? " if near else ""
            message = f"there is no task {sanitize_line(task_id, 60)!r}"
            raise UsageError(message, hint=f"{guess}known tasks: {', '.join(known)}")
    return {task_id: _load_named(tasks_dir, task_id) for task_id in wanted}


def _folder(tasks_dir: Path) -> Path:
    """The folder of the tasks where `tasks_dir` is a kit; else itself."""
    return tasks_dir / KIT_TASKS if (tasks_dir / KIT_FILE).is_file() else tasks_dir


def _names(tasks_dir: Path) -> list[str]:
    """The names of the folders that hold a task; UsageError where there are none."""
    names = sorted(path.parent.name for path in tasks_dir.glob(f"*/{TASK_FILE}"))
    if not names:
        message = f"there are no tasks in {tasks_dir}"
        raise UsageError(message, hint=f"give a folder of folders with a {TASK_FILE} each, or a kit: --tasks-dir DIR")
    return names


def _load_named(tasks_dir: Path, name: str) -> Task:
    """The task in the folder `name`, which must be its id: ids are looked up by folder."""
    try:
        task = load_task(tasks_dir / name)
        if task.id != name:
            _broken(tasks_dir / name / TASK_FILE, f"id: {task.id!r} is not the name of the folder, {name!r}")
    except TaskBroken as error:
        error.task = name
        raise
    return task


def _read_table(path: Path, schema: str) -> Json:
    """The content of a TOML file of the task, checked by its schema."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        _broken(path, sanitize_line(str(error)), error)
    problem = violation(table, schema)
    if problem:
        _broken(path, problem)
    return table


def _check_layout(root: Path, kind: str) -> None:
    """Raises where a part that every task has is missing."""
    if not (root / "PROMPT.md").is_file():
        _broken(root / "PROMPT.md", "is missing: candidates need to know what to do")
    if kind == "code" and not any((root / "public").glob("test_*.py")):
        _broken(root / "public", "has no test_*.py: candidates need checks of their own")


def _bugs(path: Path) -> tuple[Bug, ...]:
    """The slips that the hidden suite can name; none where the file is absent."""
    table = _read_table(path, "bugs") if path.is_file() else {}
    return tuple(Bug(id=name, text=_text(row["bug"]), question=_text(row["question"])) for name, row in table.items())


def _criteria(rows: list[Json], path: Path) -> tuple[Criterion, ...]:
    """The criteria, with what a schema cannot say: unique ids, points in hundredths."""
    repeated = [name for name, count in Counter(row["id"] for row in rows).items() if count > 1]
    if repeated:
        _broken(path, f"criteria: the id {repeated[0]!r} is used twice; expected unique ids")
    for index, row in enumerate(rows):
        if round(row["points"], 2) != row["points"]:
            _broken(path, f"criteria[{index}].points: {row['points']} has more than two decimals")
    return tuple(Criterion(id=row["id"], title=_text(row["title"]), points=float(row["points"])) for row in rows)


def _questions(root: Path, table: Json) -> tuple[Criterion, ...]:
    """One criterion for each rubric of a written task, titled with its question; none in a candidate's kit.

    Only the head of a rubric is read here; `grader.written` checks the rest before it grades.
    """
    criteria = []
    for path in sorted(root.glob("q[0-9][0-9].toml")):
        try:
            question = tomllib.loads(path.read_text(encoding="utf-8"))["question"]
            title = Text(en=str(question["en"]), zh=str(question["zh"]))
        except (OSError, ValueError, RecursionError, KeyError, TypeError) as error:
            _broken(path, f"question: {sanitize_line(str(error))}", error)
        criteria.append(Criterion(id=path.stem, title=title, points=float(table["points_per_question"])))
    return tuple(criteria)


def _limits(table: Json) -> Limits:
    """Limits from `[limits]`; a key that is absent keeps the default of `model.Limits`. `*_mb` are MiB."""
    values: Json = {}
    for key, value in table.items():
        if key.endswith("_mb"):
            values[key.removesuffix("_mb") + "_bytes"] = value * _MIB
        else:
            values[key] = value if key in ("pids", "threads") else float(value)
    return Limits(**values)


def _text(table: Json) -> Text:
    return Text(en=table["en"], zh=table.get("zh", ""))


def task_files(root: Path) -> dict[str, bytes]:
    """All files of the task by relative path, without what tools leave behind: the same on every machine."""
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path.as_posix(): (root / path).read_bytes() for path in paths if not CACHES.intersection(path.parts)}


def _broken(path: Path, what: str, cause: Exception | None = None) -> NoReturn:
    """Raises TaskBroken for a file of a task."""
    message = f"{path}: {what}"
    raise TaskBroken(message, hint="see docs/writing-tasks.md") from cause
