"""Comparisons that cannot be fooled: kind, shape and finiteness first, values last, never broadcast.

`numpy.allclose` says yes to a scalar against a matrix, to (0, 5) against (1, 5) and to NaN against NaN
on request; each has given points away in other graders.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from grader.judge.faults import Mismatch, PartialCredit

Array = npt.NDArray[Any]


def require(condition: bool | np.bool_, message: str) -> None:  # noqa: FBT001 - what is required
    """Fails the check with `message` unless `condition`."""
    if not condition:
        raise Mismatch(message)


def partial(fraction: float, message: str) -> None:
    """Ends the check as failed with `fraction` of its points, 0 <= fraction < 1. Raises always."""
    if not 0.0 <= fraction < 1.0:
        raise ValueError(f"a partial fraction lies in [0, 1), got {fraction}")
    raise PartialCredit(float(fraction), message)


def close(actual: Array, expected: Array, *, atol: float, rtol: float = 0.0, what: str = "the result") -> None:
    """Fails unless |actual - expected| <= atol + rtol * |expected| everywhere."""
    _comparable(actual, expected, what)
    difference = np.abs(actual.astype(np.float64) - expected.astype(np.float64))
    allowed = atol + rtol * np.abs(expected.astype(np.float64))
    if not (difference <= allowed).all():
        worst = float((difference - allowed).max() + 0.0)
        raise Mismatch(
            f"{what} differs by up to {float(difference.max()):.3g} "
            f"({int((difference > allowed).sum())} of {difference.size} values, at most {worst:.2g} beyond tolerance)"
        )


def equal(actual: Array, expected: Array, *, what: str = "the result") -> None:
    """Fails unless both arrays hold the same values."""
    _comparable(actual, expected, what)
    if not np.array_equal(actual, expected):
        raise Mismatch(f"{what} differs in {int((actual != expected).sum())} of {actual.size} values")


def _comparable(actual: Array, expected: Array, what: str) -> None:
    if expected.size == 0:
        raise ValueError("an empty expectation proves nothing")
    if _kind(actual) != _kind(expected):
        raise Mismatch(f"{what}: expected {_kind(expected)} values, got {actual.dtype}")
    if actual.shape != expected.shape:
        raise Mismatch(f"{what}: expected shape {expected.shape}, got {actual.shape}")
    if not np.isfinite(expected).all():
        raise ValueError("an expectation must be finite")
    if not np.isfinite(actual).all():
        raise Mismatch(f"{what} holds NaN or infinity")


def _kind(array: Array) -> str:
    return {"f": "floating", "i": "integer", "u": "integer", "b": "boolean"}.get(array.dtype.kind, "other")
