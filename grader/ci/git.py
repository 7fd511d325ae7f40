"""What a change touches, from git, without running anything that the repository or its settings name.

No hook, no file-system monitor, no external diff, no text conversion, no pager; names come with `-z`, because they may
hold quotes, newlines and bytes of no encoding. Only commits are compared: comparing the working tree would run the
filters that .gitattributes and the settings name.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.text import sanitize_line

_TIMEOUT_S = 60
_SAFE = (
    "core.hooksPath=/dev/null", "core.fsmonitor=false", "diff.external=", "core.pager=cat", "core.attributesFile=",
    "protocol.allow=never", "submodule.recurse=false",
)  # fmt: skip
_SHA = re.compile(rb"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The paths in which two commits differ, relative to `root`, as the file system spells them."""

    root: Path
    """The top of the working tree."""
    paths: tuple[str, ...]
    """Both names of what was renamed; also what was deleted. Sorted."""


def read_change(folder: Path, base: str) -> Change:
    """What HEAD changes since it left `base` (a commit, branch or tag).

    Raises UsageError where `folder` is in no repository, git does not trust its owner, `base` is unknown or the clone
    is too shallow to have the commit where both parted.
    """
    root = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").removesuffix(b"\n")))
    head, start = _commit(root, "HEAD"), _commit(root, base)
    parted = _git(root, "merge-base", start, head, fine=(0, 1)).split()
    if not parted:
        message = f"HEAD and {sanitize_line(base, 80)} have no commit in common here"
        raise UsageError(message, hint="the clone is shallow: fetch the whole history (fetch-depth: 0, GIT_DEPTH: 0)")
    # Without renames each is a deletion and an addition: both places are touched, and nothing is guessed.
    options = ("-r", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-commit-id")
    names = _git(root, "diff-tree", *options, parted[0].decode(), head, "--")
    return Change(root=root, paths=tuple(sorted(os.fsdecode(name) for name in names.split(b"\0") if name)))


def _commit(root: Path, name: str) -> str:
    """The full id of the commit that `name` stands for. Raises UsageError."""
    if not name or name.startswith("-") or not name.isprintable():
        raise UsageError(f"{sanitize_line(name, 80)!r} is no name of a commit", hint="give --base main, say")
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", fine=(0, 1, 128)).strip()
    if not _SHA.fullmatch(found):
        message = f"this repository has no commit {sanitize_line(name, 80)!r}"
        raise UsageError(message, hint="fetch it first, e.g. `git fetch origin main`, and give --base origin/main")
    return found.decode()


def _git(folder: Path, *arguments: str, fine: tuple[int, ...] = (0,)) -> bytes:
    """What git prints. Raises UsageError with what to do where it fails."""
    settings = [part for value in _SAFE for part in ("-c", value)]
    command = ["git", "--no-pager", "--no-optional-locks", "--literal-pathspecs", *settings, *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UsageError(f"git did not answer within {_TIMEOUT_S} s in {folder}") from error
    except FileNotFoundError as error:
        missing = "there is no git on this machine" if Path(folder).is_dir() else f"there is no folder {folder}"
        raise UsageError(missing, hint="install git, and run this in a checkout") from error
    except OSError as error:
        raise UsageError(f"cannot run git in {folder}: {error.strerror or error}") from error
    if done.returncode in fine:
        return done.stdout
    raise _failed(folder, os.fsdecode(done.stderr))


def _failed(folder: Path, said: str) -> UsageError:
    """The error behind what git said; git tells its failures apart by words alone."""
    if "dubious ownership" in said:
        # Our -c could trust it, but whoever owns a repository decides by its settings what git runs.
        message = f"git does not trust {folder}: another user owns it"
        return UsageError(message, hint=f"in a container: git config --global --add safe.directory {folder.resolve()}")
    if "not a git repository" in said:
        return UsageError(f"{folder} is not in a git repository", hint="run this in a checkout, or give --repo DIR")
    return UsageError(f"git failed in {folder}: {sanitize_line(said, 300)}")


def _environment() -> dict[str, str]:
    """Ours without what redirects git; never asks anybody, never fetches."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C"}
    return kept | quiet
