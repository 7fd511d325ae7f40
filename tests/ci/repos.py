"""Real git repositories for tests: a base branch, a change on top of it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_NAMES = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@example.org", "GIT_AUTHOR_DATE": "2025-01-01T00:00:00Z"}
_ENVIRONMENT = {
    **_NAMES, **{name.replace("AUTHOR", "COMMITTER"): value for name, value in _NAMES.items()},
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    "PATH": os.environ["PATH"], "HOME": "/nonexistent",
}  # fmt: skip


def git(root: Path, *arguments: str) -> str:
    """What git prints, by settings of its own."""
    command = ["git", "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(command, cwd=root, env=_ENVIRONMENT, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def write(root: Path, files: Mapping[str, str | None]) -> None:
    """Writes the files; None removes one."""
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def commit(root: Path, files: Mapping[str, str | None]) -> str:
    """A commit with those files; gives its id."""
    write(root, files)
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "x")
    return git(root, "rev-parse", "HEAD")


def repository(root: Path, base: Mapping[str, str | None], change: Mapping[str, str | None]) -> Path:
    """A repository with `base` on main, which then went on, and `change` on a checked-out branch."""
    root.mkdir(parents=True)
    git(root, "init", "--quiet")
    commit(root, base)
    git(root, "checkout", "--quiet", "-b", "feature")
    commit(root, change)
    git(root, "checkout", "--quiet", "main")
    commit(root, {"submissions/late/toy.py": "later on main\n"})
    git(root, "checkout", "--quiet", "feature")
    return root
