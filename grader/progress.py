"""What is going on, on standard error: one line that is rewritten on a terminal, one line a task elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Self

import click

from grader.model import CheckResult, Outcome

TICK_S = 0.25


class Progress:
    """A context manager; `check` is told of each finished check, from any thread."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled
        self._terminal = sys.stderr.isatty()
        self._task = ""
        self._passed = self._done = 0
        self._started = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Self:
        if self._enabled and self._terminal:
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
            click.echo("\r\x1b[2K", nl=False, err=True)

    def check(self, task_id: str, result: CheckResult) -> None:
        """One more check is done."""
        if self._enabled and not self._terminal and task_id != self._task:
            click.echo(f"grading {task_id} ...", err=True)
        self._task = task_id
        self._done += 1
        self._passed += result.outcome is Outcome.PASSED

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            seconds = time.monotonic() - self._started
            what = f"{self._task}: {self._done} checks, {self._passed} passed" if self._task else "starting the sandbox"
            click.echo(f"\r\x1b[2K{what}  {seconds:.0f} s", nl=False, err=True)
