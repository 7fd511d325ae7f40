"""SIGKILL at any moment loses no finished result and leaves nothing behind; Ctrl-C stops in order."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from grader.errors import ExitCode
from tests.batch.kills import Killing, wait_until_gone


@pytest.mark.slow
def test_a_batch_that_is_killed_again_and_again_ends_like_one_that_was_not(tmp_path: Path) -> None:
    killing = Killing(tmp_path)
    killing.fill(good=2)
    killing.finish("calm")
    chance = random.Random(3)
    for _ in range(3):
        killing.kill("killed", chance.uniform(0.5, 5.0))
    killing.finish("killed")
    assert killing.results("killed") == killing.results("calm")
    graded = [job for job, outcome in killing.attempts("killed") if outcome == "graded"]
    assert sorted(graded) == ["good0", "good1", "raises"]
    assert "running" not in {outcome for _, outcome in killing.attempts("killed")}
    wait_until_gone(killing)


def test_an_interrupt_stops_within_seconds_and_says_how_to_go_on(tmp_path: Path) -> None:
    killing = Killing(tmp_path)
    (tmp_path / "in" / "sleeps").mkdir(parents=True)
    (tmp_path / "in" / "sleeps" / "adder.py").write_text("import time\ntime.sleep(100)\n")
    process = killing.start("out")
    deadline = time.monotonic() + 60
    while not killing.attempts("out") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    asked = time.monotonic()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert time.monotonic() - asked < 20
    assert "interrupted; 0 of 1 submissions are finished" in errors
    assert "the same command goes on" in errors
    assert [outcome for _, outcome in killing.attempts("out")] == ["interrupted"]
    wait_until_gone(killing)
