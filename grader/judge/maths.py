"""Small numerical functions that suites share, in float64 over the last axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating]


def logsumexp(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """log(sum(exp(values))), shape without the last axis; stable for large values."""
    array = np.asarray(values, dtype=np.float64)
    top = array.max(axis=-1, keepdims=True)
    total: npt.NDArray[np.float64] = np.log(np.exp(array - top).sum(axis=-1)) + top[..., 0]
    return total


def log_softmax(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Log-probabilities, same shape. Idempotent: log-probabilities come back unchanged."""
    array = np.asarray(values, dtype=np.float64)
    return array - logsumexp(array)[..., None]


def softmax(values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Probabilities, same shape."""
    result: npt.NDArray[np.float64] = np.exp(log_softmax(values))
    return result


def cross_entropy(logits: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean negative log-likelihood in nats of int labels (N,) under logits or log-probabilities (N, C)."""
    rows = log_softmax(logits)
    return float(-rows[np.arange(len(rows)), np.asarray(labels)].mean())
