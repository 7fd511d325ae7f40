"""Checks that nobody passes who does not hold the key. CANARY-HIDDEN-VAULT must never leave the trusted side."""

import numpy as np
import pytest

from grader.judge import compare, require

CANARY = "CANARY-HIDDEN-VAULT"
KEY, SHIFT, MODULUS = 48_271, 49_722_033, 2**31 - 1


def right(x):
    return (x * KEY + SHIFT) % MODULUS


def draw(rng):
    return int(rng.integers(2**31))


def check(name, points):
    return pytest.mark.check(name, criterion="opens", points=points, title=name, hint="You need the key.")


@pytest.fixture(scope="session")
def built(shared):
    return shared(lambda candidate: candidate.keep("build"))


@check("code", 3)
def test_code(candidate, rng):
    x = draw(rng)
    require(candidate.call("code", x).integer() == right(x), "the code is wrong")


@check("rows", 3)
def test_rows(candidate, rng):
    x = rng.integers(2**31, size=(3, 4))
    compare.equal(candidate.call("rows", x).tensor(shape=(3, 4), dtype="int64"), right(x), what="rows")


@check("kept", 2)
def test_kept(built, rng):
    x = draw(rng)
    require(built().method("code", x).integer() == right(x), "the kept object's code is wrong")


@check("again", 1)
def test_again(candidate, rng, built):
    for x in np.asarray(rng.integers(2**31, size=3)).tolist():
        require(candidate.call("code", x).integer() == right(x), "the code is wrong")
    x = draw(rng)
    require(built().method("code", x).integer() == right(x), "the kept object's code is wrong")
