"""The engine is stopped and started again in mid-run; `python -m tests.attacks.restart` has the longer drills."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.attacks.drills import as_root
from tests.attacks.restart import in_mid_grading, own_engine


@pytest.mark.docker
@pytest.mark.slow
@as_root
@pytest.mark.skipif(shutil.which("dockerd") is None, reason="needs dockerd for an engine of its own")
def test_an_engine_that_is_stopped_and_comes_back_grades_nothing_and_leaves_nothing(
    sandbox_image: str, tmp_path: Path
) -> None:
    with own_engine() as engine:
        in_mid_grading(engine, signal.SIGTERM, tmp_path)
