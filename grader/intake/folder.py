"""Reads a folder or a file without ever following a link, even one that is swapped in while we read.

Each step opens one name relative to the folder already open (`dir_fd`) with O_NOFOLLOW: no path is resolved
twice, so there is no moment between check and use.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from grader.errors import SubmissionRejected, UsageError
from grader.intake.rules import Basket, refuse
from grader.text import sanitize_line

# O_NONBLOCK: opening a FIFO must not wait for a writer. O_NOCTTY: nor may a terminal become ours.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A descriptor of the submission itself, a folder or a regular file.

    Raises UsageError where nothing is there, SubmissionRejected where it is a link or something stranger.
    """
    name = path.name or str(path)  # a report says no more of where it was made
    try:
        _check_kind(name, path.lstat().st_mode)
        descriptor = os.open(path, _OPEN)
    except FileNotFoundError as error:
        message = f"there is no submission at {sanitize_line(str(path))}"
        raise UsageError(message, hint="give a folder, an archive, a .py or an .ipynb file") from error
    except OSError as error:
        raise _unreadable(name, error) from error
    try:
        _check_kind(name, os.fstat(descriptor).st_mode)
        yield descriptor
    finally:
        os.close(descriptor)


def read_folder(descriptor: int, basket: Basket, prefix: str = "") -> None:
    """Puts every regular file below an open folder into the basket; refuses links, devices, FIFOs, sockets."""
    for name in _names(descriptor, basket, prefix):
        path = prefix + name
        try:
            _read_member(descriptor, name, path, basket)
        except OSError as error:
            raise _unreadable(path, error) from error


def read_file(descriptor: int, path: str, basket: Basket) -> None:
    """Puts one open regular file into the basket, under the name `path`."""
    status = os.fstat(descriptor)
    _check_kind(path, status.st_mode)
    basket.check_size(path, status.st_size)
    with borrowed(descriptor) as file:
        content = file.read(status.st_size + 1)  # not the budget: a read allocates all that it is asked for
    if len(content) > status.st_size:
        refuse(path, "grows while it is read", "hand it in once it is finished")
    basket.put(path, content)


def borrowed(descriptor: int) -> BinaryIO:
    """A file object over a descriptor that stays open afterwards."""
    return os.fdopen(descriptor, "rb", closefd=False)


def _names(descriptor: int, basket: Basket, prefix: str) -> list[str]:
    """The names in an open folder, sorted; counted while they come, so that no listing grows without end."""
    names = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            basket.count(prefix + entry.name)
            names.append(entry.name)
    return sorted(names)


def _read_member(parent: int, name: str, path: str, basket: Basket) -> None:
    """Reads one member, or descends into it."""
    status = os.stat(name, dir_fd=parent, follow_symlinks=False)
    is_folder = stat.S_ISDIR(status.st_mode)
    clean = basket.admit(path, is_file=not is_folder)
    if clean is None:
        return
    _check_kind(path, status.st_mode)
    descriptor = os.open(name, _OPEN, dir_fd=parent)
    try:
        if is_folder:
            read_folder(descriptor, basket, clean + "/")
        else:
            _check_single(descriptor, path)
            read_file(descriptor, clean, basket)
    finally:
        os.close(descriptor)


def _check_kind(path: str, mode: int) -> None:
    """Raises for anything but a regular file or a folder."""
    kind = stat.S_IFMT(mode)
    if kind not in (stat.S_IFREG, stat.S_IFDIR):
        what = f"is {_KINDS.get(kind, 'no regular file')}; only regular files are read"
        refuse(path, what, "put a copy of the file in its place, or leave it out")


def _check_single(descriptor: int, path: str) -> None:
    """Raises for a file with a second name: it may be a file of the host that the candidate may not read."""
    if os.fstat(descriptor).st_nlink > 1:
        refuse(path, "is a hard link", "copy the folder with `cp -r`, which makes files of their own")


def _unreadable(path: str, error: OSError) -> SubmissionRejected:
    return SubmissionRejected(
        f"{sanitize_line(path, 120)!r} cannot be read: {error.strerror or error}",
        hint="make it readable for the user who grades",
    )
