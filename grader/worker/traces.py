"""What sessions leave in the folders that all of them may write to: removed with the session that left it.

Only one request is under way at a time, so what appears meanwhile is the asked session's. What appears between
requests may be any living session's, and stays until none of those lives. A file must not tell a later check what an
earlier one saw; a session that is kept for several checks keeps its own files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection
from pathlib import Path

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - the container's own; outside of one it is never touched


class Traces:
    """The top-level names in those folders, and whose they are."""

    def __init__(self, root: Path) -> None:
        self._folders = [root, SHARED_MEMORY] if os.getpid() == 1 else [root]
        self._ours = self._names()
        self._owners: dict[Path, frozenset[int]] = {}

    def note(self, sessions: Collection[int]) -> None:
        """New names belong to `sessions`."""
        for path in self._names() - self._ours - self._owners.keys():
            self._owners[path] = frozenset(sessions)

    def clear(self, living: Collection[int], keep: Collection[Path]) -> None:
        """Removes what belongs to nobody alive; `keep` are the folders of sessions, which end with those."""
        self.note(living)
        for path, owners in list(self._owners.items()):
            if path in keep or owners & set(living):
                continue
            del self._owners[path]
            _remove(path)

    def _names(self) -> set[Path]:
        found: set[Path] = set()
        for folder in self._folders:
            with contextlib.suppress(OSError):
                found |= {folder / name for name in os.listdir(folder)}  # noqa: PTH208 - twice as fast, twice a call
        return found


def _remove(path: Path) -> None:
    """Removes a file or a tree, following no link; a tree too deep or unreadable dies with the container."""
    with contextlib.suppress(Exception):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
