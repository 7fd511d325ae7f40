"""Hidden checks of the same task. CANARY-HIDDEN-ADDER must never leave the trusted side."""

import numpy as np
import pytest

from grader.judge import compare

CANARY = "CANARY-HIDDEN-ADDER"


@pytest.mark.check(
    "adds_again", criterion="adds", points=6, title="adds, again", hint="Any shape.", hint_zh="任意形状。"
)
def test_adds_again(candidate, rng, diagnosis, evidence):
    a, b = rng.random((3, 1, 5)), rng.random((3, 1, 5))
    found = candidate.call("add", a, b).tensor(shape=(3, 1, 5), dtype="floating")
    evidence.curves("sums", {"found": found.reshape(-1), "right": (a + b).reshape(-1)}, title="Sums")
    diagnosis.closest(found, {"subtracts": a - b, "multiplies": a * b}, atol=1e-6, what="add")
    compare.close(found, a + b, atol=1e-6, what=CANARY)


@pytest.mark.check("doubles", criterion="module", points=2, title="doubles", hint="forward(x) is 2 * x.")
def test_doubles(candidate, rng):
    module = candidate.call("build").handle()
    x = rng.random((2, 3), dtype=np.float32)
    compare.close(module(x).tensor(shape=(2, 3)), 2 * x, atol=1e-6, what="build()(x)")
