"""The engine goes down amid a batch, in order and without a word: no score changes, nothing stays behind."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.batch.engine import is_possible, own_engine
from tests.batch.kills import Killing, wait_until_gone

RUNS_BY_THEN_S = 60.0


def wait_for(killing: Killing, graded: int) -> None:
    """Until so many are graded and more are running."""
    deadline = time.monotonic() + RUNS_BY_THEN_S
    while True:
        outcomes = [outcome for _, outcome in killing.attempts("restarted")]
        if outcomes.count("graded") >= graded and "running" in outcomes:
            return
        assert time.monotonic() < deadline, outcomes
        time.sleep(0.05)


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.skipif(not is_possible(), reason="an engine of one's own takes Linux, root and dockerd")
def test_an_engine_that_restarts_costs_nobody_a_point(
    tmp_path: Path, sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    killing = Killing(tmp_path, backend="docker")
    killing.fill(good=4)
    with own_engine() as engine:
        engine.copy_image(sandbox_image)
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        killing.finish("calm")
        batch = killing.start("restarted")
        for graded, how in enumerate((signal.SIGTERM, signal.SIGKILL), start=1):
            wait_for(killing, graded)
            engine.stop(how)
            engine.start()
        printed, errors = batch.communicate(timeout=600)
        assert batch.returncode == 0, printed + errors
        outcomes = [outcome for _, outcome in killing.attempts("restarted")]
        assert "ungraded" in outcomes, f"nothing ran when the engine went down: {outcomes}"
        assert killing.results("restarted") == killing.results("calm")
        wait_until_gone(killing)
        assert engine.containers() == []
