"""The pytest plugin of the judge: fixtures for suites, and one `CheckResult` for each expected check.

pytest is used for what it does well (collecting, fixtures, readable assertions). Its own idea of passing is not:
a check passes only where its test ran to the end without any exception, and exactly the collected checks count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from grader.errors import GraderError, SandboxUnavailable, TaskBroken, Ungraded
from grader.judge.bench import Bench
from grader.judge.diagnosis import Suspicions
from grader.judge.evidence import Evidence
from grader.judge.faults import Blocked, CandidateFault, PartialCredit, SandboxDown
from grader.judge.groups import groups_of
from grader.judge.parts import Groups
from grader.judge.proxy import Candidate
from grader.judge.session import Session
from grader.judge.source import Source
from grader.judge.specs import spec_of, validate
from grader.judge.trace import Trace
from grader.model import CheckResult, CheckSpec, Outcome, Task, Visibility

MAX_TEXT = 4000

OnCheck = Callable[[CheckResult, Trace], None]
"""Told of a finished check, and of what it did."""

Turns = Callable[[Groups], Iterator[int]]
"""Given the groups: which of them to run, by their numbers, one after the other."""


def all_of_them(groups: Groups) -> Iterator[int]:
    """See Turns."""
    return iter(range(len(groups)))


class JudgePlugin:
    """One run of a task's suite. `results` holds one entry for each check that had its turn; `error` is ours."""

    def __init__(
        self, task: Task, bench: Bench, *, complete: bool, on_check: OnCheck, device: str, turns: Turns = all_of_them
    ) -> None:
        self._task, self._bench, self._complete = task, bench, complete
        self._on_check, self._device, self._turns = on_check, device, turns
        self._ranks: dict[str, int] = {}
        self._all_turns_over = False
        self._specs: dict[str, CheckSpec] = {}
        self._ends: dict[str, tuple[Outcome, float, Any]] = {}
        self.results: dict[str, CheckResult] = {}
        # The catalogue is hidden: a self-check beside it is told what a kit would tell, nothing.
        self.suspicions = Suspicions(task.bugs if complete else (), complete=complete)
        self.kept = Evidence()
        self.error: GraderError | None = None

    # --- collecting -------------------------------------------------------------------------------

    @pytest.hookimpl
    def pytest_configure(self, config: pytest.Config) -> None:
        """Registers the mark."""
        config.addinivalue_line("markers", "check(id, ...): a check of a task; see docs/writing-tasks.md")

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A suite that cannot be imported is ours."""
        if report.failed and self.error is None:
            lines = [line.removeprefix("E").strip() for line in str(report.longrepr).splitlines() if line.strip()]
            place = next((line for line in reversed(lines) if line.startswith("File ")), "").rpartition(", line ")[2]
            where = f"line {place}: " if place.isdecimal() else ""  # of a syntax error, which has no frame of its own
            self.error = TaskBroken(f"task {self._task.id}: {report.nodeid} cannot be collected: {where}{lines[-1]}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Public checks first; then the declarations are held against the rubric."""
        try:
            specs = {item.nodeid: spec_of(item, self._task) for item in items}
            items.sort(key=lambda item: specs[item.nodeid].visibility is Visibility.HIDDEN)
            validate([specs[item.nodeid] for item in items], self._task, complete=self._complete)
        except TaskBroken as error:
            self.error = self.error or error
        else:
            self._specs = specs

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Has the sandbox up and attested before the first test; then runs the groups that have their turn."""
        if self.error is not None:
            return True
        groups = groups_of(session.items, self._specs)
        in_order = [item for group in groups for item in group]
        self._ranks = {item.nodeid: rank for rank, item in enumerate(in_order)}
        places = {item.nodeid: place for place, item in enumerate(session.items)}
        turns = self._turns([{self._specs[i.nodeid].id: places[i.nodeid] for i in group} for group in groups])
        try:
            self._bench.ready()
        except SandboxDown as error:
            self.error = Ungraded(str(error))
        except GraderError as error:
            self.error = error
        while self.error is None and not session.shouldstop and (turn := self._next(turns)) is not None:
            self._run(session, groups[turn])
        self._all_turns_over = not session.shouldstop
        return True

    def _next(self, turns: Iterator[int]) -> int | None:
        started = time.monotonic()
        turn = next(turns, None)
        self._bench.note_wait(time.monotonic() - started)
        return turn

    def _run(self, session: pytest.Session, group: list[pytest.Item]) -> None:
        self._bench.turn_to(self._specs[group[0].nodeid].id)
        for item, following in pairwise([*group, _Nothing.from_parent(session, name="nothing")]):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldstop:
                return

    def require_complete(self) -> None:
        """Raises TaskBroken where the run ended, without an error that is known, before each check had its result."""
        absent = [spec.id for spec in self._specs.values() if spec.id not in self.results]
        if self.error is None and not self._all_turns_over and (absent or not self._specs):
            raise TaskBroken(
                f"task {self._task.id}: the suite ended early, {len(absent)} checks did not run: {absent[:3]}",
                hint="a suite must not end pytest or the process",
            )

    # --- running ----------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Blocks a check whose dependencies did not pass."""
        for name in self._specs[item.nodeid].after:
            if self.results[name].outcome is not Outcome.PASSED:
                raise Blocked(name)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, None, None]:
        """Times one check and makes its result."""
        self.kept.rank = self.suspicions.rank = self._ranks[item.nodeid]
        started, (cpu, _), before = time.monotonic(), self._bench.usage(), self._bench.trace
        self._ends[item.nodeid] = (Outcome.TASK_BROKEN, 0.0, "the test did not run")
        yield
        duration, (cpu_after, _) = time.monotonic() - started, self._bench.usage()
        result = self._result(item, duration, max(cpu_after - cpu, 0.0))
        self.results[result.spec.id] = result
        self._on_check(result, self._bench.trace.since(before))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, None, None]:
        """Keeps the first thing that went wrong in any phase of a test."""
        yield
        if call.when == "call" and call.excinfo is None:
            self._ends[item.nodeid] = (Outcome.PASSED, 1.0, None)
            if list(item.iter_markers("xfail")):
                self._ends[item.nodeid] = (Outcome.FAILED, 0.0, "expected to fail, which counts as not passed")
        elif call.excinfo is not None and not self._already_failed(item):
            self._ends[item.nodeid] = _end_of(call.excinfo)
            if isinstance(call.excinfo.value, SandboxDown):
                self.error = self.error or Ungraded(str(call.excinfo.value))
                item.session.shouldstop = "the sandbox is down"
            elif isinstance(call.excinfo.value, GraderError):  # no second sandbox could be had after the first
                self.error = self.error or Ungraded(str(call.excinfo.value), hint="run it again")
                item.session.shouldstop = str(call.excinfo.value)

    def _already_failed(self, item: pytest.Item) -> bool:
        outcome, _, detail = self._ends[item.nodeid]
        return outcome is not Outcome.PASSED and detail != "the test did not run"

    def _result(self, item: pytest.Item, duration_s: float, cpu_s: float) -> CheckResult:
        outcome, fraction, detail = self._ends[item.nodeid]
        fault = detail if isinstance(detail, CandidateFault) else None
        message = fault.message if fault else "" if detail is None else str(detail)
        trace = f"\n{fault.traceback}" if fault and fault.traceback else ""
        return CheckResult(
            spec=self._specs[item.nodeid],
            outcome=outcome,
            fraction=fraction,
            message=(message + trace)[:MAX_TEXT],
            location=fault.location if fault else "",
            exception=fault.exception if fault else "",
            memory=fault.memory if fault else "",
            output=self._bench.take_output()[-MAX_TEXT:],
            duration_s=round(duration_s, 4),
            cpu_s=round(cpu_s, 4),
        )

    # --- fixtures ---------------------------------------------------------------------------------

    @pytest.fixture
    def candidate(self) -> Iterator[Candidate]:
        """A fresh process with the candidate's file loaded."""
        candidate, session = self._bench.open()
        yield candidate
        _close(session)

    @pytest.fixture(scope="session")
    def shared(self) -> Callable[[Callable[[Candidate], Any]], Callable[[], Any]]:
        """`shared(recipe)`: work that several checks use, done once."""
        return self._bench.shared

    @pytest.fixture
    def rng(self, request: pytest.FixtureRequest) -> np.random.Generator:
        """Randomness of this check's own."""
        return self._bench.random(self._specs[request.node.nodeid].id)

    @pytest.fixture(scope="session")
    def drawn(self) -> np.random.Generator:
        """Randomness for data that is drawn once for the run."""
        return self._bench.random("drawn")

    @pytest.fixture(scope="session")
    def diagnosis(self) -> Suspicions:
        """Names the likely bug."""
        return self.suspicions

    @pytest.fixture(scope="session")
    def evidence(self) -> Evidence:
        """Keeps what a person would rather look at."""
        return self.kept

    @pytest.fixture(scope="session")
    def source(self) -> Source:
        """What the submission's source mentions."""
        return Source(*self._bench.code)

    @pytest.fixture(scope="session")
    def device(self) -> str:
        """Where training calls run."""
        return self._device


class _Nothing(pytest.Item):
    """Follows a group: what was made for its files ends, what was made for the whole run lives on."""

    def runtest(self) -> None:
        """It is never run."""


def _close(session: Session) -> None:
    session.close()


def _end_of(info: pytest.ExceptionInfo[BaseException]) -> tuple[Outcome, float, Any]:
    """Outcome, share of the points, and the detail for the message, of what a test raised."""
    error = info.value
    if isinstance(error, PartialCredit):
        return Outcome.FAILED, error.fraction, error
    if isinstance(error, CandidateFault):
        return error.outcome, 0.0, error
    if isinstance(error, AssertionError):
        return Outcome.FAILED, 0.0, str(error).split("\n", 1)[0]
    if isinstance(error, pytest.skip.Exception | pytest.xfail.Exception):
        return Outcome.FAILED, 0.0, "the check was skipped, which counts as not passed"
    if isinstance(error, SandboxDown | SandboxUnavailable):
        return Outcome.SANDBOX_DOWN, 0.0, str(error)
    return Outcome.TASK_BROKEN, 0.0, f"{type(error).__name__}: {error}\n{info.getrepr(style='short')}"
