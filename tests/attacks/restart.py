"""`python -m tests.attacks.restart`: the engine is stopped, or crashes, and is started again in mid-run; all drills.

An engine of the drill's own has the sandbox image: nobody else's containers are disturbed. All need some minutes;
tests/attacks/test_restart.py runs the first and the last.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from grader.errors import ExitCode
from grader.pipeline import Graded
from grader.sandbox.image import image_tag
from tests.attacks.drills import during, is_ungraded, make_sleeper, next_is_fine, wait_for
from tests.attacks.engines import Engine
from tests.batch.kills import Killing

DOWN_S: Final = 2.0
"""Seconds for which the engine stays away."""


@contextlib.contextmanager
def own_engine() -> Iterator[Engine]:
    """An engine with the sandbox image, to which everything of ours talks meanwhile."""
    engine, usual = Engine(), os.environ.get("DOCKER_HOST")
    try:
        engine.start()
        engine.load(image_tag())
        os.environ["DOCKER_HOST"] = engine.host
        yield engine
    finally:
        os.environ.pop("DOCKER_HOST", None)
        if usual is not None:
            os.environ["DOCKER_HOST"] = usual
        engine.remove()


def _restart(engine: Engine, how: signal.Signals) -> None:
    engine.stop(how)
    time.sleep(DOWN_S)
    engine.start()


def in_mid_grading(engine: Engine, how: signal.Signals, into: Path) -> None:
    """Ungraded with exit code 5, nothing left once the engine is back, and the next run has its score."""
    result, run_id = during(make_sleeper(into), lambda _: _restart(engine, how), slot=66)
    is_ungraded(result)
    error = result.error if isinstance(result, Graded) else result
    assert error
    assert error.exit_code is ExitCode.UNGRADED
    next_is_fine(into, 66, run_id)
    assert engine.containers() == []


def in_mid_batch(engine: Engine, how: signal.Signals, into: Path) -> None:
    """The batch waits and tries again, and ends as one that nobody disturbed."""
    killing = Killing(into, "docker", slots=1)
    killing.fill(good=2)
    killing.finish("calm")
    process = killing.start("disturbed")
    wait_for(lambda: ("good1", "running") in killing.attempts("disturbed") and engine.containers(), 120)
    _restart(engine, how)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == ExitCode.GRADED, errors
    assert {("good1", "ungraded"), ("good1", "graded")} <= set(killing.attempts("disturbed"))
    assert killing.results("disturbed") == killing.results("calm")
    assert engine.containers() == killing.leftovers() == []


DRILLS: Final[dict[str, Callable[[Engine, Path], None]]] = {
    "stopped in mid-grading": lambda engine, into: in_mid_grading(engine, signal.SIGTERM, into),
    "crashed in mid-grading": lambda engine, into: in_mid_grading(engine, signal.SIGKILL, into),
    "stopped in mid-batch": lambda engine, into: in_mid_batch(engine, signal.SIGTERM, into),
    "crashed in mid-batch": lambda engine, into: in_mid_batch(engine, signal.SIGKILL, into),
}


def main() -> None:
    """See the module."""
    with own_engine() as engine:
        for name, drill in DRILLS.items():
            started = time.monotonic()
            with tempfile.TemporaryDirectory() as folder:
                drill(engine, Path(folder))
            print(f"held  {name} ({time.monotonic() - started:.0f} s)", flush=True)  # noqa: T201 - the program's output


if __name__ == "__main__":
    main()
