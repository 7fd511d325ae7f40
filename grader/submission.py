"""From a path to a `Submission` in memory: read under the rules of `intake`, then matched to the tasks.

Nothing of a submission is imported, executed or unpacked here. Two of its texts are parsed, by the standard
library and a schema: none but `submission.toml`, below a size. A notebook stays bytes until it is in the sandbox.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from grader.digest import digest_files
from grader.errors import SubmissionRejected, UsageError
from grader.intake.folder import borrowed, opened, read_file, read_folder
from grader.intake.rules import MIB, Basket, refuse
from grader.intake.tarred import read_tar
from grader.intake.zipped import read_zip
from grader.model import Entry, Json, Submission
from grader.schemas import violation
from grader.text import sanitize_line

SETTINGS_FILE = "submission.toml"
ANY_TASK = "submission"
"""Stem of the file that answers every task without a file of its own."""

ANSWERS = "answers"
"""Stem of the file with the written answers."""

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
_SOURCES = (".py", ".ipynb")
_MAX_ARCHIVE_BYTES = 20 * MIB
_MAX_SETTINGS_BYTES = 16 * 1024
_CANDIDATE_CHARS = 80
_FORMS = "give a folder, a .zip, .tar.gz, .tgz or .tar archive, or one .py or .ipynb file"


def load_submission(path: Path, task_ids: Collection[str]) -> Submission:
    """Reads a folder, an archive or a single file, and finds the entry for each task.

    Raises UsageError where `path` is missing or of no known form; SubmissionRejected where a rule is broken or
    nothing is there to grade. A fault of one entry alone is not raised: it is that entry's `problem`.
    """
    basket = Basket()
    with opened(path) as descriptor:
        is_single = _fill(descriptor, path, basket)
    files = basket.files
    if not files:
        skipped = "; ".join(basket.notes())
        message = f"the submission has no files{f' ({skipped})' if skipped else ''}"
        raise SubmissionRejected(message, hint="hand in one file for each task, such as " + _examples(task_ids))
    settings = _settings(files)
    name = submission_id(path, task_ids)
    entries = _single_entries(files, task_ids) if is_single else _entries(files, settings.get("entry", {}), task_ids)
    return Submission(
        id=name,
        candidate=sanitize_line(settings.get("candidate", ""), _CANDIDATE_CHARS) or name,
        files=files,
        entries=entries,
        sha256=digest_files(files),
        notes=(*basket.notes(), *_notes(files, settings, entries, task_ids)),
    )


def submission_id(path: Path, task_ids: Collection[str]) -> str:
    """The id of the submission at `path`, from its name alone: known before, and even if, it is read.

    A folder's name; an archive's or file's name without the suffix. A file named for its role (`transformer.py`,
    `submission.py`) says nothing about whose it is: there the folder around it names it. What is not
    `[A-Za-z0-9._-]{1,64}` becomes "submission-" and 8 hex digits of the name's SHA-256.
    """
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow links
    suffix = "" if path.is_dir() else _suffix(path)
    stem = absolute.name[: len(absolute.name) - len(suffix)]
    if suffix in _SOURCES and (stem == ANY_TASK or stem in task_ids):
        stem = absolute.parent.name
    if _ID.fullmatch(stem) and stem not in (".", ".."):
        return stem
    return f"{ANY_TASK}-{hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]}"


def is_form(path: Path) -> bool:
    """True for what could be a submission: a folder, or a file with a suffix of one."""
    return path.is_dir() or _suffix(path) != ""


def listed(folder: Path) -> list[Path]:
    """What lies in a folder of submissions, by name. Raises UsageError where it cannot be read."""
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        message = f"cannot read the folder {folder}: {error.strerror or error}"
        raise UsageError(message, hint="give a folder of submissions") from error


def refuse_single(folder: Path, paths: Iterable[Path], task_ids: Collection[str]) -> None:
    """Raises UsageError where a folder of submissions, with `paths` in it, is itself one.

    A file in it is then named for a task, not for a person.
    """
    roles = {f"{stem}{suffix}" for stem in (*task_ids, ANY_TASK) for suffix in _SOURCES}
    for path in paths:
        if path.name in {*roles, SETTINGS_FILE}:
            message = f"{folder} is itself a submission: it has {path.name}"
            raise UsageError(message, hint=f"`grader grade {folder}`, or give the folder around it")


def _suffix(path: Path) -> str:
    """The suffix that says how to read a file, as written in its name's lower case; "" for none known."""
    name = path.name.lower()
    return next((suffix for suffix in (*_ARCHIVES, *_SOURCES) if name.endswith(suffix)), "")


def _fill(descriptor: int, path: Path, basket: Basket) -> bool:
    """Reads the open submission into the basket, by its form; True where it is a single source file."""
    suffix = _suffix(path)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        read_folder(descriptor, basket)
        return False
    if suffix in _SOURCES:
        clean = basket.admit(path.name, is_file=True)
        if clean is not None:
            read_file(descriptor, clean, basket)
    elif suffix:
        _fill_from_archive(descriptor, path, suffix, basket)
    else:
        message = f"{sanitize_line(path.name)!r} is no form of submission"
        raise UsageError(message, hint=_FORMS)
    return suffix in _SOURCES


def _fill_from_archive(descriptor: int, path: Path, suffix: str, basket: Basket) -> None:
    """Reads the members of the open archive, which itself must be within the budget."""
    size = os.fstat(descriptor).st_size
    if size > _MAX_ARCHIVE_BYTES:
        what = f"is larger than {_MAX_ARCHIVE_BYTES // MIB} MiB"
        refuse(path.name, what, "leave out data, environments and version control")
    with borrowed(descriptor) as file:
        if suffix == ".zip":
            read_zip(file.read(size), basket)  # not the cap: a read allocates all that it is asked for
        else:
            read_tar(file, basket)
    basket.files = _unwrapped(basket.files)


def _unwrapped(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of an archive without the one folder around them all; `answers/` is content, not a wrapper."""
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or not all("/" in path for path in files) or tops == {"answers"}:
        return files
    return {path.partition("/")[2]: data for path, data in files.items()}


def _settings(files: Mapping[str, bytes]) -> Json:
    """What `submission.toml` says, checked by its schema; {} where there is none. Raises SubmissionRejected."""
    data = files.get(SETTINGS_FILE, b"")
    if len(data) > _MAX_SETTINGS_BYTES:
        refuse(SETTINGS_FILE, f"is larger than {_MAX_SETTINGS_BYTES // 1024} KiB", "keep candidate and [entry] only")
    try:
        settings = tomllib.loads(data.decode("utf-8-sig"))
        problem = violation(settings, "submission")
    except (ValueError, RecursionError) as error:  # ValueError: TOML syntax, UTF-8; an integer of 5,000 digits
        problem = sanitize_line(str(error)) if isinstance(error, ValueError) else "nested too deeply"
    if problem:
        refuse(SETTINGS_FILE, f"is wrong: {problem}", 'write candidate = "name" and [entry] task = "path"')
    return settings


def _entries(files: Mapping[str, bytes], named: Mapping[str, str], task_ids: Collection[str]) -> dict[str, Entry]:
    """The entry of every task that has one: `[entry]` first, then the task's own file, then `submission.*`."""
    entries = {}
    for task_id in task_ids:
        entry = _named_entry(files, task_id, named[task_id]) if task_id in named else None
        entry = entry or _entry(files, task_id) or _entry(files, ANY_TASK)
        if entry:
            entries[task_id] = entry
    return entries


def _named_entry(files: Mapping[str, bytes], task_id: str, path: str) -> Entry:
    """The entry that `submission.toml` names; a path that leads outside rejects the whole submission."""
    clean = Basket().admit(path, is_file=True) or path
    kind = PurePosixPath(clean).suffix.lower()
    if clean not in files:
        shown = sanitize_line(path, 120)
        return Entry(path="", problem=f"{SETTINGS_FILE} names {shown!r} for {task_id}, but there is no such file")
    if kind not in _SOURCES:
        return Entry(path=clean, problem=f"{SETTINGS_FILE} names {clean!r} for {task_id}: neither .py nor .ipynb")
    return Entry(path=clean, kind=kind[1:])


def _entry(files: Mapping[str, bytes], stem: str) -> Entry | None:
    """The entry at `stem`.py or `stem`.ipynb; a problem where both are there, None where neither is."""
    found = [stem + suffix for suffix in _SOURCES if stem + suffix in files]
    if len(found) > 1:
        problem = f"there are both {found[0]} and {found[1]}: delete one, or name one in [entry] of {SETTINGS_FILE}"
        return Entry(path=found[0], problem=problem)
    return Entry(path=found[0], kind=PurePosixPath(found[0]).suffix[1:]) if found else None


def _single_entries(files: Mapping[str, bytes], task_ids: Collection[str]) -> dict[str, Entry]:
    """The entries of a submission that is one file: its own task's, or every task's if it is named for none."""
    path = PurePosixPath(next(iter(files)))
    entry = Entry(path=str(path), kind=path.suffix.lower()[1:])
    if path.stem == ANSWERS:
        return {}  # a notebook of written answers answers no code task
    return {task_id: entry for task_id in task_ids if path.stem == task_id or path.stem not in task_ids}


def _notes(
    files: Mapping[str, bytes], settings: Json, entries: Mapping[str, Entry], task_ids: Collection[str]
) -> Iterator[str]:
    """What a person should know: names that are nearly right."""
    for task_id in sorted(set(settings.get("entry", {})) - set(task_ids)):
        yield f"{SETTINGS_FILE}: [entry] {sanitize_line(task_id, 64)!r} is no task of this run; ignored"
    wanted = {f"{task_id}{suffix}": task_id for task_id in task_ids for suffix in _SOURCES if task_id not in entries}
    for path in sorted(files):
        task_id = wanted.get(PurePosixPath(path).name.lower().replace("-", "_"), "")
        if task_id:
            yield f"{task_id} has no file; {path!r} is not at the top or not spelled so"


def _examples(task_ids: Collection[str]) -> str:
    return ", ".join(f"{task_id}.py" for task_id in sorted(task_ids)[:3]) or f"{ANY_TASK}.py"
