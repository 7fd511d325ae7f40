"""Engines that fall, time that runs out, and what must have no effect on a judge."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from typing import Any

import pytest
import torch

from grader.errors import SandboxUnavailable
from grader.sandbox.protocol import Ending
from tests.fakes import CLOSED, FakeBackend, FunctionBrain
from tests.judge.conftest import RunSuite
from tests.judge.suites import FIVE, LIMITS, five, job_for, task_at


class Falls(FakeBackend):
    """A backend whose sandboxes end at the first call, for `reason`."""

    def __init__(self, reason: str) -> None:
        super().__init__(FunctionBrain({"five": five}))
        self._reason = reason

    def start(self, request: Any) -> Any:
        """See Backend."""
        sandbox = super().start(request)
        sandbox.end = Ending(reason=self._reason, detail="it fell")
        serve = sandbox.script
        sandbox.script = lambda frame: [CLOSED] if _is_call(frame) else serve(frame)
        return sandbox


def _is_call(frame: Any) -> bool:
    return bool(frame.head["verb"] == "session" and frame.head["request"]["verb"] == "call")


def falling(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, reason: str) -> Any:
    monkeypatch.setattr("tests.judge.suites.FakeBackend", lambda brain: Falls(reason))
    many = "".join(f"@check('n{i}', 2)\ndef test_{i}(candidate): candidate.call('five')\n" for i in range(5))
    return run_suite(many)


def test_an_engine_that_falls_ends_the_run_ungraded(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = falling(run_suite, monkeypatch, "down")
    assert ran.error["kind"] == "Ungraded"
    assert ran.outcomes() == {"n0": "sandbox_down"}


def test_a_sandbox_that_the_code_ends_is_replaced_twice(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = falling(run_suite, monkeypatch, "exited")
    assert set(ran.outcomes().values()) == {"crashed"}
    assert len(ran.backend.sandboxes) == 3
    assert all(sandbox.closed for sandbox in ran.backend.sandboxes)
    assert ran.error == {}


def test_a_sandbox_that_cannot_start_again_is_ours(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    class Once(Falls):
        def start(self, request: Any) -> Any:
            if self.sandboxes:
                raise SandboxUnavailable("no engine")
            return super().start(request)

    monkeypatch.setattr("tests.judge.suites.FakeBackend", lambda brain: Once("exited"))
    ran = run_suite("@check('a', 5)\ndef test_a(candidate): candidate.call('five')\n@check('b', 5)\n"
                    "def test_b(candidate): candidate.call('five')")  # fmt: skip
    assert ran.error["kind"] == "Ungraded"
    assert ran.outcomes() == {"a": "crashed", "b": "sandbox_down"}


def test_time_that_is_used_up_is_a_timeout_for_the_rest(run_suite: RunSuite) -> None:
    ran = run_suite(FIVE, {"five": five}, limits=replace(LIMITS, task_cpu_s=0.0))
    assert ran.outcomes() == {"five": "timeout"}


def test_a_sandbox_that_comes_up_slowly_costs_the_candidate_no_time(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(FakeBackend):
        def start(self, request: Any) -> Any:
            time.sleep(1.5)
            return super().start(request)

    monkeypatch.setattr("tests.judge.suites.FakeBackend", Slow)
    assert run_suite(FIVE, {"five": five}, limits=replace(LIMITS, task_wall_s=1.0)).outcomes() == {"five": "passed"}


@pytest.mark.parametrize("jump_s", [-1e6, 1e6])
def test_setting_the_clock_in_the_middle_of_a_run_changes_nothing(
    run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    now, jumps = time.time, itertools.count()
    monkeypatch.setattr(time, "time", lambda: now() + jump_s * next(jumps))
    assert run_suite(FIVE, {"five": five}).outcomes() == {"five": "passed"}


def test_the_judge_imports_nothing_of_a_submission(run_suite: RunSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = b"import pytest\n@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_setup(item): item.obj = lambda: None\n"
    files = dict.fromkeys(("conftest.py", "sitecustomize.py", "pytest_plugin.py", "toy.py"), evil)
    files |= {"pytest.ini": b"[pytest]\naddopts = --maxfail=0 -p pytest_plugin\n", "x.pth": b"import pytest_plugin"}
    base = job_for(task_at(None, 1)).submission  # type: ignore[arg-type]  # only the submission is used
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    ran = run_suite(FIVE, {"five": lambda: torch.tensor([0, 0])}, submission=replace(base, files=files))
    assert ran.outcomes() == {"five": "failed"}


def test_settings_around_the_judge_have_no_effect(run_suite: RunSuite, tmp_path: Any) -> None:
    for folder in (tmp_path, tmp_path / "task", tmp_path / "work"):
        folder.mkdir(exist_ok=True)
        (folder / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--collect-only'\n")
        (folder / "tox.ini").write_text("[pytest]\naddopts = --collect-only\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError('imported')\n")
    assert run_suite(FIVE, {"five": five}).outcomes() == {"five": "passed"}
