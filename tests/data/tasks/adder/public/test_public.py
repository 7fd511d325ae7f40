"""Public checks of a task that exists for tests of the harness: small, and touching every kind of call."""

import numpy as np
import pytest

from grader.judge import compare


@pytest.mark.check(
    "adds_public", criterion="adds", points=2, title="adds", hint="Return a + b.", hint_zh="返回 a + b。"
)
def test_adds(candidate, rng):
    a, b = rng.random((2, 4), dtype=np.float32), rng.random((2, 4), dtype=np.float32)
    total = candidate.call("add", a, b).tensor(shape=(2, 4), dtype="floating", what="add")
    compare.close(total, a + b, atol=1e-6, what="add(a, b)")
