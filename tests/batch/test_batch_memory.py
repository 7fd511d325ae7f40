"""The benchmark of a batch's memory counts what the batch has, whoever started it."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

MIB = 2**20
COMMAND = "from benchmarks.batch_memory import _peak; print(_peak())"


def test_memory_of_the_parent_is_not_counted() -> None:
    parents = np.ones(200 * MIB, np.uint8)
    peak = float(subprocess.run([sys.executable, "-c", COMMAND], capture_output=True, check=True, text=True).stdout)
    assert parents.nbytes > 2 * peak * MIB > 0
