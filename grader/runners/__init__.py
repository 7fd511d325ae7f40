"""Where the jobs of a batch run: runners behind one small protocol, resolved by name.

A runner knows nothing of grading: it is given a function and jobs for it, and tells what became of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from grader.errors import UsageError
from grader.runners.protocol import Ahead, Elsewhere, Helper, Runner, Slot, Work

RUNNERS = {"pool": "grader.runners.pool", "ray": "grader.runners.cluster"}
"""By name: each module has a function `make`, as `make_runner`."""


def make_runner(
    name: str,
    work: Work[Any, Any],
    slots: Sequence[Slot],
    elsewhere: Elsewhere[Any] | None = None,
    ahead: Ahead[Any] | None = None,
    helper: Helper[Any] | None = None,
) -> Runner[Any, Any]:
    """The runner called `name`, ready to start jobs; heavy imports happen here and not before.

    `slots` may be empty for one on other machines: then as many as they carry. `elsewhere` is for those, `ahead` and
    `helper` for one on this machine. Raises UsageError, SandboxUnavailable.
    """
    if name not in RUNNERS:
        raise UsageError(f"unknown runner {name!r}", hint=f"one of: {', '.join(RUNNERS)}")
    runner: Runner[Any, Any] = import_module(RUNNERS[name]).make(work, slots, elsewhere, ahead, helper)
    return runner
