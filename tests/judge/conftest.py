"""The fixture that runs a suite written in a test."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.model import Bug
from tests.fakes import Brain, FunctionBrain
from tests.judge.suites import HEAD, Ran, job_for, run_job, task_at

RunSuite = Callable[..., Ran]


@pytest.fixture(scope="session", autouse=True)
def _quick_collections() -> Iterator[None]:
    """Each run of a suite ends with pytest's garbage collections, which torch's many objects would make slow."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def run_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunSuite:
    """`run_suite(hidden, functions)`: the checks of `hidden` (Python) against a candidate that has `functions`."""

    def run(
        hidden: str,
        functions: Mapping[str, Any] | None = None,
        *,
        public: str = "",
        points: float = 10.0,
        brain: Brain | None = None,
        files: Mapping[str, str] | None = None,
        limits: Any = None,
        bugs: tuple[Bug, ...] = (),
        **job: Any,
    ) -> Ran:
        root, work = tmp_path / "task", tmp_path / "work"
        sources = {"hidden/test_hidden.py": HEAD + hidden, "public/test_public.py": HEAD + public, **(files or {})}
        for name, source in sources.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(source, encoding="utf-8")
        work.mkdir(exist_ok=True)
        more = {"limits": limits} if limits else {}
        found = brain or FunctionBrain(functions or {})
        return run_job(job_for(task_at(root, points, bugs=bugs, **more), **job), found, work, monkeypatch)

    return run
