"""A command as it is typed, run in this process as the console script does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import cli
from grader.errors import ExitCode


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    def refused(self, *words: str) -> None:
        """Exit code 2, and one line that has the words."""
        assert self.code == ExitCode.USAGE, self
        (line,) = self.err.splitlines()
        assert line.startswith("grader: ")
        for word in words:
            assert word in line


Typed = Callable[..., Result]


def runner(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """`typed("report", path, "-f", "csv")` runs `grader report ...`."""

    def call(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call
