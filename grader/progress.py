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
        self._task = self._point = ""
        self._announced: set[str] = set()
        self._passed = self._done = self._opinions = 0
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
        self._announce(task_id, f"grading {task_id} ...")
        self._point = ""
        self._done += 1
        self._passed += result.outcome is Outcome.PASSED

    def opinion(self, question: str, point: str) -> None:
        """A language model has marked one more point of a written answer."""
        self._announce(question, f"asking for a second opinion on {question} ...")
        self._opinions += 1
        self._point = point

    def _announce(self, name: str, line: str) -> None:
        """Says once what has begun: tasks that run side by side take turns here."""
        if self._enabled and not self._terminal and name not in self._announced:
            click.echo(line, err=True)
        self._announced.add(name)
        self._task = name

    def _what(self) -> str:
        if self._point:
            return f"second opinion on {self._task}, {self._point}: {self._opinions} points"
        if self._task:
            return f"{self._task}: {self._done} checks, {self._passed} passed"
        return "starting"

    def _tick(self) -> None:
        while not self._stop.wait(TICK_S):
            seconds = time.monotonic() - self._started
            click.echo(f"\r\x1b[2K{self._what()}  {seconds:.0f} s", nl=False, err=True)
