"""What checks did, counted: by it is known, after several judges had parts of a task, where one would have stopped."""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_REPLACEMENTS: Final = 2
"""Processes that may be replaced in a task; then a crash loop costs nothing more."""
TIME_LINE: Final = "not run: the task's time was used up by earlier calls"


class Trace(NamedTuple):
    """Calls, processes asked for, and processes that died."""

    calls: int = 0
    opened: int = 0
    deaths: int = 0

    def since(self, before: Trace) -> Trace:
        """The difference."""
        return Trace(*(now - then for now, then in zip(self, before, strict=True)))


def deaths_line(deaths: int) -> str:
    """Why nothing is run any more in a task whose processes end again and again."""
    return f"not run: the code ended its process {deaths} times before"
