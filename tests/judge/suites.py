"""Runs a suite with the judge's own pytest, plugin, bench and proxies against a fake sandbox, in this process."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.judge import __main__ as judge
from grader.judge.job import Job, artifact_from_json, check_from_json
from grader.model import ArtifactFile, CheckResult, Criterion, Entry, Limits, Submission, Task, Text
from tests.fakes import Brain, FakeBackend

LIMITS = Limits(wall_slack_s=2.0, wall_factor=0.01)

HEAD = """
import numpy as np
import pytest
import torch
from grader.judge import compare, partial, require

def check(name, points=10, criterion="all", **more):
    return pytest.mark.check(name, criterion=criterion, points=points, title=f"title {name}", hint="hint", **more)
"""


OTHER = """
@check("other")
def test_other(candidate):
    require(candidate.call("other").integer() == 1, "not one")
"""

FIVE = """
@check("five")
def test_five(candidate):
    compare.equal(candidate.call("five").tensor(shape=(2,), dtype="integer"), np.array([5, 5]))
"""


def five() -> torch.Tensor:
    """The right answer of the check `five`."""
    return torch.tensor([5, 5])


def raiser(error: BaseException) -> Any:
    """A function that raises `error`."""

    def function(*_: Any) -> None:
        raise error

    return function


@dataclass
class Ran:
    """What the parent of a judge process is told."""

    checks: dict[str, CheckResult] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    artifacts: list[ArtifactFile] = field(default_factory=list)
    error: Mapping[str, Any] = field(default_factory=dict)
    done: Mapping[str, Any] = field(default_factory=dict)
    log: str = ""
    backend: FakeBackend | None = None
    groups: list[list[str]] = field(default_factory=list)
    turns: Iterator[int] = field(default_factory=lambda: iter(()))

    def send(self, event: str, **fields: Any) -> None:
        """Takes one event, in place of `judge.Events`."""
        if event == "check":
            result = check_from_json(fields["check"])
            self.checks[result.spec.id] = result
            self.order.append(result.spec.id)
        elif event == "artifact":
            self.artifacts.append(artifact_from_json(fields["artifact"]))
        elif event == "error":
            self.error = fields
        elif event == "groups":
            self.groups = [list(group) for group in fields["groups"]]
            self.turns = iter(range(len(self.groups)))
        elif event == "done":
            self.done = fields

    def wait_for_go(self) -> None:
        """In place of `judge.Parent`."""

    def next_turn(self) -> int | None:
        """All groups, in order."""
        return next(self.turns, None)

    def outcomes(self) -> dict[str, str]:
        """Check id -> outcome."""
        return {name: result.outcome.value for name, result in self.checks.items()}


def task_at(root: Path, points: float, **more: Any) -> Task:
    """A task of one criterion, `all`."""
    criterion = Criterion(id="all", title=Text(en="All"), points=points)
    fields: dict[str, Any] = {
        "id": "toy",
        "version": "1",
        "title": Text(en="Toy"),
        "criteria": (criterion,),
        "limits": LIMITS,
    } | more
    return Task(root=str(root), **fields)


def submission(files: Mapping[str, bytes] | None = None) -> Submission:
    """A submission whose entry is toy.py."""
    return Submission(id="a", candidate="A", files=files or {"toy.py": b"x\n" * 5}, entries={}, sha256="")


def job_for(task: Task, *, seed: int = 1, suites: tuple[str, ...] = ("public", "hidden"), **more: Any) -> Job:
    """A job of `task`."""
    fields: dict[str, Any] = {
        "submission": submission(),
        "entry": Entry(path="toy.py"),
        "backend": "fake",
        "run_id": "r",
    } | more
    return Job(task=task, seed=seed, suites=suites, **fields)


@contextlib.contextmanager
def own_modules() -> Iterator[None]:
    """Suites of different tasks have modules of the same name, which belong to one run only."""
    before, path = set(sys.modules), list(sys.path)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] in ("public", "hidden"):
                del sys.modules[name]
        sys.path[:] = path


def run_job(job: Job, brain: Brain, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Runs `job` as `python -m grader.judge` does, in this process, with `brain` in the sandbox."""
    ran = Ran(backend=FakeBackend(brain))
    with monkeypatch.context() as patch, own_modules(), contextlib.redirect_stdout(io.StringIO()) as log:
        patch.setattr(judge, "backend", lambda name: ran.backend)
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.chdir(folder)
        judge.run(job, ran, ran)  # type: ignore[arg-type]  # it only needs what stands above
    ran.log = log.getvalue()
    return ran
