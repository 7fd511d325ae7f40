"""The engine ends and is started again in mid-run; `python -m tests.attacks.restart` has more drills of the kind."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.attacks.drills import as_root
from tests.attacks.restart import in_mid_batch, in_mid_grading, own_engine


@pytest.mark.docker
@pytest.mark.slow
@as_root
@pytest.mark.skipif(shutil.which("dockerd") is None, reason="needs dockerd for an engine of its own")
def test_an_engine_that_ends_and_comes_back_costs_nobody_a_point_and_leaves_nothing(
    sandbox_image: str, make_folder: Callable[..., Path]
) -> None:
    with own_engine() as engine:  # one for both: copying the image takes the most
        in_mid_grading(engine, signal.SIGTERM, make_folder("grading", {}))
        in_mid_batch(engine, signal.SIGKILL, make_folder("batch", {}))
