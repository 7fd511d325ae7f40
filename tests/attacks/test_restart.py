"""The engine is stopped, or crashes, and is started again in mid-run: `ungraded`, nothing left, and a batch goes on.

An engine of the drill's own, with the sandbox image: nobody else's containers are disturbed.
"""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.errors import ExitCode
from grader.pipeline import Graded
from tests.attacks.drills import as_root, during, is_ungraded, make_sleeper, next_is_fine, wait_for
from tests.attacks.engines import Engine
from tests.batch.kills import Killing

DOWN_S = 2.0
"""Seconds for which the engine stays away."""
pytestmark = [
    pytest.mark.docker,
    pytest.mark.slow,
    as_root,
    pytest.mark.skipif(shutil.which("dockerd") is None, reason="needs dockerd for an engine of its own"),
]


@pytest.fixture(scope="module")
def own_engine(sandbox_image: str) -> Iterator[Engine]:
    """An engine with the sandbox image."""
    engine = Engine()
    try:
        engine.start()
        engine.load(sandbox_image)
        yield engine
    finally:
        engine.remove()


@pytest.fixture
def engine(own_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The same, as the one that everything of ours talks to."""
    monkeypatch.setenv("DOCKER_HOST", own_engine.host)
    return own_engine


@pytest.mark.parametrize(("how", "slot"), [(signal.SIGTERM, 66), (signal.SIGKILL, 67)], ids=["stopped", "crashed"])
def test_an_engine_that_comes_back_has_graded_nothing_and_left_nothing(
    how: signal.Signals, slot: int, engine: Engine, tmp_path: Path
) -> None:
    def restart(_: str) -> None:
        engine.stop(how)
        time.sleep(DOWN_S)
        engine.start()

    result, run_id = during(make_sleeper(tmp_path), restart, slot)
    is_ungraded(result)
    error = result.error if isinstance(result, Graded) else result
    assert error
    assert error.exit_code is ExitCode.UNGRADED
    next_is_fine(tmp_path, slot, run_id)
    assert engine.containers() == []


def test_a_batch_waits_for_the_engine_and_ends_like_one_that_was_not_disturbed(engine: Engine, tmp_path: Path) -> None:
    killing = Killing(tmp_path, "docker", slots=1)
    killing.fill(good=3)
    killing.finish("calm")
    process = killing.start("disturbed")
    wait_for(lambda: ("good1", "running") in killing.attempts("disturbed") and engine.containers(), 120)
    engine.stop()
    time.sleep(DOWN_S)
    engine.start()
    _, errors = process.communicate(timeout=300)
    assert process.returncode == ExitCode.GRADED, errors
    assert ("good1", "ungraded") in killing.attempts("disturbed")
    assert ("good1", "graded") in killing.attempts("disturbed")
    assert killing.results("disturbed") == killing.results("calm")
    assert engine.containers() == killing.leftovers() == []
