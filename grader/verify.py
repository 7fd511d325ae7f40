"""Proof of a task: its reference and styles get full marks, its mutants and samples what they declare."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from grader.errors import TaskBroken
from grader.expectation import Expectation, differences, full_marks, read_expected, read_mutant
from grader.judge.warm import shared_start
from grader.model import Report
from grader.patch import apply_patch
from grader.pipeline import Request, grade

SLOTS = 1000
"""User ids that concurrent sandboxes take in turn."""
KINDS = ("reference", "style", "mutant", "sample")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One submission with what it must get. `patch` is a mutant's, applied to a copy of `path`."""

    kind: str
    name: str
    path: Path
    expected: Expectation
    patch: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A case after grading; proven where `problems` is empty."""

    case: Case
    report: Report | None
    """None where it could not be graded at all: a patch that does not fit."""
    problems: tuple[str, ...]


def find_cases(task_id: str, references: Path, candidates: Path) -> list[Case]:
    """All cases of a task: `references`/<task>/ and those samples in `candidates` that answer it. Raises TaskBroken."""
    root = references / task_id
    entry = root / f"{task_id}.py"
    if not entry.is_file():
        raise TaskBroken(f"task {task_id} has no reference solution", hint=f"expected {entry}")
    return [
        Case(kind="reference", name="reference", path=entry, expected=full_marks(task_id)),
        *_styles(task_id, root),
        *_mutants(task_id, root),
        *_samples(task_id, candidates),
    ]


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


def _styles(task_id: str, root: Path) -> Iterator[Case]:
    for folder in _folders(root / "styles"):
        yield Case(kind="style", name=folder.name, path=folder, expected=full_marks(task_id))


def _mutants(task_id: str, root: Path) -> Iterator[Case]:
    for folder in _folders(root / "mutants"):
        base, expected = read_mutant(folder / "mutant.toml", task_id)
        path = root / f"{task_id}.py" if base == "reference" else root / "styles" / base
        if not path.exists():
            raise TaskBroken(f"{folder / 'mutant.toml'} names the base {base!r}, which does not exist")
        yield Case(kind="mutant", name=folder.name, path=path, expected=expected, patch=folder / "mutant.patch")


def _samples(task_id: str, candidates: Path) -> Iterator[Case]:
    for folder in _folders(candidates):
        if not (folder / "expected.toml").is_file():
            continue
        expected = read_expected(folder / "expected.toml")
        if task_id in expected.tasks or expected.status == "rejected":
            only = {name: row for name, row in expected.tasks.items() if name == task_id}
            yield Case(kind="sample", name=folder.name, path=folder, expected=replace(expected, tasks=only))


def prove(cases: list[Case], request: Request, *, jobs: int, on_verdict: Callable[[Verdict], None]) -> list[Verdict]:
    """Grades every case with `jobs` at a time; tells of each as it ends, gives them in the order of `cases`."""
    cancelled = threading.Event()

    def work(number: int) -> Verdict:
        verdict = _prove_one(cases[number], replace(request, slot=number % SLOTS, cancelled=cancelled))
        on_verdict(verdict)
        return verdict

    several = len(cases) > 1
    with shared_start(request.start, SLOTS, several=several) as start, ThreadPoolExecutor(max_workers=jobs) as pool:
        request = replace(request, start=start)
        try:
            return list(pool.map(work, range(len(cases))))
        except BaseException:  # Ctrl-C, or no sandbox at all: stop what runs, start nothing more
            cancelled.set()
            pool.shutdown(cancel_futures=True)
            raise


def _prove_one(case: Case, request: Request) -> Verdict:
    try:
        with tempfile.TemporaryDirectory(prefix="grader-verify-") as folder:
            path = patched(case, Path(folder)) if case.patch else case.path
            graded = grade(path, request)
    except TaskBroken as error:
        return Verdict(case=case, report=None, problems=(str(error),))
    return Verdict(case=case, report=graded.report, problems=tuple(differences(case.expected, graded.report)))


def patched(case: Case, folder: Path) -> Path:
    """A copy of the case's base with its patch applied, below `folder`."""
    target = folder / case.name
    if case.path.is_dir():
        shutil.copytree(case.path, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir()
        shutil.copy(case.path, target)
    files = {path.relative_to(target).as_posix(): path.read_bytes() for path in target.rglob("*") if path.is_file()}
    for name, content in apply_patch(files, case.patch or Path()).items():
        (target / name).write_bytes(content)
    return target
