"""Which cases of a task's proof a test run affords: enough for each check that a mutant names to fail at least once.

Each case is a test of its own, so that several processes can share the proofs out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path

from grader.config import Settings
from grader.pipeline import Request
from grader.task import load_tasks
from grader.verify import Case, prove
from tests import warm

TASKS = Path(__file__).parent.parent / "tasks"
SEED = 2026
"""The same draws on every run: what chance may do is measured by benchmarks.repeat, not met here now and then."""


def problems(case: Case, task: str) -> tuple[str, ...]:
    """How the score of a case, graded in a container, differs from what it declares."""
    request = Request(tasks=load_tasks(TASKS, [task]), settings=Settings(seed=SEED), start=warm.start())
    (verdict,) = prove([case], request, jobs=1, on_verdict=lambda _verdict: None)
    return verdict.problems


def name_of(case: Case) -> str:
    """The case as the name of a test."""
    return f"{case.kind}-{case.name}"


def covering(mutants: list[Case], task: str, cost: Callable[[Case], float], seen: Collection[str]) -> list[Case]:
    """A small set of mutants under which each check that any of them names must fail (greedy set cover).

    `seen` are checks that are seen to fail without them.
    """
    chosen: list[Case] = []
    left = {name for case in mutants for name in case.expected.tasks[task].fails} - set(seen)
    while left:
        best = max(mutants, key=lambda case: len(left & set(case.expected.tasks[task].fails)) / cost(case))
        chosen.append(best)
        left -= set(best.expected.tasks[task].fails)
    return chosen


def selected(
    cases: list[Case], task: str, styles: Collection[str], cost: Callable[[Case], float] = lambda _: 1.0
) -> list[Case]:
    """The reference, every sample, the named styles, a covering set of mutants; with GRADER_PROVE=all everything."""
    if os.environ.get("GRADER_PROVE") == "all":
        return cases
    always = [case for case in cases if case.kind in ("reference", "sample")]
    seen = {name for case in always if task in case.expected.tasks for name in case.expected.tasks[task].fails}
    mutants = covering([case for case in cases if case.kind == "mutant"], task, cost, seen)
    named = [case for case in cases if case.kind == "style" and case.name in styles]
    return [*always, *named, *mutants]
