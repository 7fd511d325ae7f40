"""Files that are either the old ones or the new ones, never half of each, also after a crash or a full disk."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from grader.errors import UsageError


def cannot_write(path: Path, error: OSError) -> UsageError:
    """The error for a place that cannot be written, with what to do: a full disk is no question of rights."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    hint = "make room there, or give another place" if full else "give a path in a folder that you may write to"
    return UsageError(f"cannot write {path}: {error.strerror or error}", hint=hint)


def write_bytes(path: Path, data: bytes) -> None:
    """Writes `data` to `path` by a temporary file, fsync and rename; makes parent folders.

    A link is followed and stays a link; a pipe or device (`/dev/stdout`) is written to, never replaced.
    Raises UsageError where the place cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            target.write_bytes(data)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            _replace(target, data)
    except OSError as error:
        raise cannot_write(path, error) from error


def check_writable(path: Path) -> None:
    """Raises UsageError where `write_bytes` could not write `path`; makes parent folders. Said before long work."""
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        return
    probe = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
        probe.unlink()
    except OSError as error:
        raise cannot_write(path, error) from error


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for text, in UTF-8."""
    write_bytes(path, text.encode("utf-8"))


def _replace(target: Path, data: bytes) -> None:
    """Writes beside `target` (a rename is atomic only within one file system) and renames over it."""
    # A fresh name with O_EXCL: nobody can have put a link there. 0o666 leaves the mode to the umask.
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
