"""Where candidate code runs: backends behind one small protocol, resolved by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from grader.sandbox.protocol import Backend

BACKENDS = {"docker": "grader.sandbox.container", "process": "grader.sandbox.process"}


def backend(name: str) -> Backend:
    """The backend called `name`. Raises UsageError; heavy imports happen here and not before."""
    from importlib import import_module

    if name not in BACKENDS:
        raise UsageError(f"unknown backend {name!r}", hint=f"one of: {', '.join(BACKENDS)}")
    return import_module(BACKENDS[name]).BACKEND  # type: ignore[no-any-return]  # each module defines it
