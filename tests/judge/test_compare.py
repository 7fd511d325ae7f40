"""Comparisons that have given points away elsewhere do not do so here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import compare, maths
from grader.judge.faults import Mismatch, PartialCredit

MATRIX = np.ones((2, 3), np.float32)


def both(actual: Any, expected: Any) -> None:
    """The same verdict from both comparisons: refused."""
    with pytest.raises(Mismatch):
        compare.close(np.asarray(actual), np.asarray(expected), atol=10.0)
    with pytest.raises(Mismatch):
        compare.equal(np.asarray(actual), np.asarray(expected))


@pytest.mark.parametrize("actual", [1.0, [1.0], [[1.0]], [1.0, 1.0, 1.0], np.ones((3, 2)), np.ones((1, 2, 3))])
def test_nothing_broadcasts(actual: Any) -> None:
    both(np.asarray(actual, np.float32), MATRIX)


def test_an_empty_array_does_not_equal_a_row() -> None:
    both(np.zeros((0, 5)), np.zeros((1, 5)))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_never_pass(bad: float) -> None:
    both(np.full((2, 3), bad), MATRIX)


@pytest.mark.parametrize("dtype", [np.int64, bool, np.complex128])
def test_another_kind_of_number_never_passes(dtype: type) -> None:
    both(MATRIX.astype(dtype), MATRIX)


def test_bool_is_no_label() -> None:
    both(np.array([True, False]), np.array([1, 0]))


def test_widths_of_the_same_kind_compare() -> None:
    compare.close(MATRIX.astype(np.float64), MATRIX, atol=0.0)
    compare.equal(np.array([1, 2], np.int32), np.array([1, 2]))
    compare.equal(np.array([True]), np.array([True]))


@pytest.mark.parametrize("expected", [np.zeros(0), np.zeros((3, 0)), np.array([np.nan]), np.array([np.inf])])
def test_an_expectation_that_proves_nothing_is_our_mistake(expected: Any) -> None:
    with pytest.raises(ValueError, match="expectation"):
        compare.close(expected, expected, atol=1.0)
    with pytest.raises(ValueError, match="expectation"):
        compare.equal(expected, expected)


def test_tolerances_hold_at_their_edge() -> None:
    compare.close(np.array([1.5]), np.array([1.0]), atol=0.5)
    compare.close(np.array([110.0]), np.array([100.0]), atol=0.0, rtol=0.1)
    for off in (1.5001, 0.4999):
        with pytest.raises(Mismatch, match="1 of 1"):
            compare.close(np.array([off]), np.array([1.0]), atol=0.5)


@pytest.mark.parametrize("huge", [1.7e308, -1.7e308])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning")
def test_huge_values_are_a_mismatch_and_no_accident(huge: float) -> None:
    with pytest.raises(Mismatch):
        compare.close(np.array([huge, -huge]), np.array([-1e308, 1e308]), atol=1.0)
    with pytest.raises(Mismatch):
        compare.close(np.array([2**63 - 1, -(2**63)]), np.array([0, 0]), atol=1.0)


def test_negative_zero_is_zero() -> None:
    compare.equal(np.array([-0.0]), np.array([0.0]))


def test_partial_credit_lies_below_full_marks() -> None:
    for fraction in (0.0, 0.5, 0.999):
        with pytest.raises(PartialCredit) as caught:
            compare.partial(fraction, "part")
        assert caught.value.fraction == fraction
    for fraction in (1.0, -0.1, float("nan"), 2.0):
        with pytest.raises(ValueError, match="partial"):
            compare.partial(fraction, "part")


def test_require_takes_numpy_bools() -> None:
    compare.require(np.bool_(True), "fine")
    with pytest.raises(Mismatch, match="not fine"):
        compare.require(np.bool_(False), "not fine")


def test_maths_is_stable_and_normalised() -> None:
    logits = np.array([[1000.0, 0.0], [-1000.0, -1000.0]])
    assert np.allclose(np.exp(maths.log_softmax(logits)).sum(axis=-1), 1.0)
    assert np.allclose(maths.log_softmax(maths.log_softmax(logits)), maths.log_softmax(logits))
    assert maths.logsumexp(np.zeros((3, 4))).shape == (3,)
    assert maths.softmax([[0.0, 0.0]]).tolist() == [[0.5, 0.5]]
