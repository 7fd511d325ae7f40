"""What a submission may hold: the budgets, the rules for names, and the basket that enforces both.

Every reader (folder, zip, tar) brings its members here, one by one, before and after reading them, so that the
rules exist once. A breach raises `SubmissionRejected` with the member, the rule and what to do.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import NoReturn

from grader.errors import SubmissionRejected
from grader.text import sanitize_line

MIB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Caps on one submission. Real answers are source files: a hundredth of this."""

    total_bytes: int = 20 * MIB
    file_bytes: int = 5 * MIB
    notebook_bytes: int = 10 * MIB
    """Notebooks carry their pictures."""
    members: int = 2000
    path_bytes: int = 240
    """In UTF-8, so that no part of a path passes the 255 bytes that Linux allows."""
    depth: int = 12
    ratio: int = 200
    """Expanded to compressed. Source code compresses about 5-fold, DEFLATE's bound is 1032."""
    ratio_from_bytes: int = MIB
    """Below it the ratio says nothing: a small file of spaces passes any."""
    stream_bytes: int = 64 * MIB
    """What is decompressed of a tar at most, skipped members included."""


JUNK = frozenset(
    ".git .hg .svn .venv venv __pycache__ __MACOSX .ipynb_checkpoints .mypy_cache .pytest_cache .ruff_cache "
    ".idea .vscode .DS_Store Thumbs.db desktop.ini".split()
)
"""Names that tools leave behind. Whatever bears one is not looked at, not even for links."""

# Not skipped, but refused: a candidate whose answer is inside would be graded without it and never know.
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.\w{1,5}|7z|rar)$", re.IGNORECASE)
_DRIVE = re.compile(r"[A-Za-z]:")
_HOSTILE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_MAX_NOTES = 20


def refuse(member: str, what: str, todo: str) -> NoReturn:
    """Raises SubmissionRejected: one line that names the member, the rule and the remedy."""
    message = f"{sanitize_line(member, 120)!r} {what}"
    raise SubmissionRejected(message, hint=todo)


@dataclass(slots=True)
class Basket:
    """The files taken in so far, and what is left of the budget."""

    budget: Budget = field(default_factory=Budget)
    files: dict[str, bytes] = field(default_factory=dict)
    _members: int = 0
    _bytes: int = 0
    _seen: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Folded path -> (path, is it a file), for every member and every folder above it."""
    _junk: set[str] = field(default_factory=set)

    def count(self, path: str) -> None:
        """Counts one member, wanted or not; raises past the cap."""
        self._members += 1
        if self._members > self.budget.members:
            what = f"is one file too many: at most {self.budget.members:,} files and folders are read"
            refuse(path, what, "leave out data, environments and version control")

    def admit(self, path: str, *, is_file: bool) -> str | None:
        """The clean path under which a member is known; None for what is skipped. Raises on a bad name."""
        parts = self._parts(path)
        junk = next((index for index, part in enumerate(parts) if _is_junk(part)), None)
        if junk is not None:
            self._junk.add("/".join(parts[: junk + 1]))
        if junk is not None or not parts:
            return None
        if is_file and _ARCHIVE.search(parts[-1]):
            refuse(path, "is an archive inside the submission", "unpack it or leave it out")
        self._check_twins(parts, is_file=is_file)
        return "/".join(parts)

    def limit(self, path: str) -> int:
        """How many bytes the file at `path` may have."""
        notebook = path.lower().endswith(".ipynb")
        return self.budget.notebook_bytes if notebook else self.budget.file_bytes

    def check_size(self, path: str, size: int) -> None:
        """Raises where a file of `size` bytes does not fit, alone or together with the others."""
        if size > self.limit(path):
            what = f"is larger than {self.limit(path) // MIB} MiB"
            refuse(path, what, "leave out data and checkpoints; clear a notebook's outputs")
        if self._bytes + size > self.budget.total_bytes:
            what = f"makes the submission larger than {self.budget.total_bytes // MIB} MiB"
            refuse(path, what, "leave out data and checkpoints")

    def check_ratio(self, path: str, expanded: int, compressed: int) -> None:
        """Raises where bytes expand as no source file does: a decompression bomb."""
        if expanded > self.budget.ratio_from_bytes and expanded > self.budget.ratio * max(compressed, 1):
            refuse(path, f"expands more than {self.budget.ratio}-fold", "archive source files only")

    def put(self, path: str, data: bytes) -> None:
        """Takes the bytes of an admitted file; raises where they are too many."""
        self.check_size(path, len(data))
        self._bytes += len(data)
        self.files[path] = data

    def notes(self) -> tuple[str, ...]:
        """One line for each thing skipped."""
        junk = sorted(self._junk)
        more = [f"skipped {len(junk) - _MAX_NOTES} more such files"] if len(junk) > _MAX_NOTES else []
        shown = [f"skipped {sanitize_line(path, 120)}: tools leave it behind" for path in junk[:_MAX_NOTES]]
        return (*shown, *more)

    def _parts(self, path: str) -> list[str]:
        """`path` as clean parts in NFC; "./a//b/" is a, b. Raises where the name breaks a rule."""
        _check_characters(path)
        if path.startswith("/") or _DRIVE.match(path):
            refuse(path, "is an absolute path", "archive the folder's content with relative paths")
        parts = [part for part in unicodedata.normalize("NFC", path).split("/") if part not in ("", ".")]
        if ".." in parts:
            refuse(path, "leads out of the submission", "archive the folder's content without '..'")
        if len("/".join(parts).encode()) > self.budget.path_bytes:
            refuse(path, f"is a name of more than {self.budget.path_bytes} bytes", "shorten it")
        if len(parts) > self.budget.depth:
            refuse(path, f"is more than {self.budget.depth} folders deep", "flatten the folders")
        return parts

    def _check_twins(self, parts: list[str], *, is_file: bool) -> None:
        """Raises where a name differs from another by case or Unicode form alone, or appears twice."""
        for depth in range(1, len(parts) + 1):
            path = "/".join(parts[:depth])
            file_here = is_file and depth == len(parts)
            known = self._seen.setdefault(fold(path), (path, file_here))
            first_time = known == (path, file_here) and not (file_here and path in self.files)
            if not first_time:
                what = f"clashes with {sanitize_line(known[0], 120)!r}"
                refuse(path, what, "names must differ by more than case, appear once, and be a file or a folder")


def fold(path: str) -> str:
    """The form in which names that some file systems confuse are equal."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _is_junk(part: str) -> bool:
    return part in JUNK or part.startswith("._")  # AppleDouble: macOS keeps attributes in them


def _check_characters(path: str) -> None:
    """Raises on characters that no honest name has: controls, invisible marks, backslashes, broken Unicode."""
    if "\\" in path:
        refuse(path, "has a backslash in its name", "use '/' between folders")
    if any(unicodedata.category(char) in _HOSTILE_CATEGORIES for char in path):
        refuse(path, "has a control or invisible character in its name, or is not UTF-8", "rename it")
