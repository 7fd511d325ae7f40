"""Lines where standard error is no terminal: each task and question is announced once, in any order of reports."""

from __future__ import annotations

import pytest

from grader.model import CheckResult, CheckSpec, Outcome, Text, Visibility
from grader.progress import Progress

CHECK = CheckResult(
    spec=CheckSpec(
        id="a", criterion="c", points=1, title=Text(en="A"), hint=Text(en="Do it."), visibility=Visibility.PUBLIC
    ),
    outcome=Outcome.PASSED,
    fraction=1.0,
)


def test_what_takes_turns_is_announced_once(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(enabled=True) as progress:
        for _ in range(2):
            progress.check("cnn", CHECK)
            progress.opinion("q01", "p1")
            progress.check("gan", CHECK)
    assert capsys.readouterr().err.splitlines() == [
        "grading cnn ...",
        "asking for a second opinion on q01 ...",
        "grading gan ...",
    ]
