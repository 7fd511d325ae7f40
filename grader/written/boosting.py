"""Turns lexical features into a score where there is no rubric: boosted trees and an isotonic curve.

Small, deterministic, numpy only. One configuration for all data; nothing is tuned on the set that is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDS, _RATE, _DEPTH, _LEAF, _BINS, _RIDGE = 120, 0.06, 3, 20, 24, 5.0


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A step-free rising curve: linear between the means of pooled neighbours."""

    x: Floats
    y: Floats

    def predict(self, x: Floats) -> Floats:
        """The curve at `x`, flat beyond its ends."""
        return np.interp(x, self.x, self.y)


def fit_isotonic(x: Floats, y: Floats) -> Isotonic:
    """Pool adjacent violators: the best rising fit of `y` on `x` in least squares."""
    order = np.argsort(x, kind="stable")
    blocks: list[list[float]] = []  # mean, weight, sum of x
    for at, value in zip(x[order], y[order], strict=True):
        blocks.append([float(value), 1.0, float(at)])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            mean, weight, place = blocks.pop()
            total = blocks[-1][1] + weight
            blocks[-1] = [(blocks[-1][0] * blocks[-1][1] + mean * weight) / total, total, blocks[-1][2] + place]
    return Isotonic(np.array([row[2] / row[1] for row in blocks]), np.array([row[0] for row in blocks]))


@dataclass(frozen=True, slots=True)
class _Node:
    """A split on `feature` at bin `cut`, or a leaf with `value`."""

    value: float
    feature: int = -1
    cut: int = 0
    left: _Node | None = None
    right: _Node | None = None


@dataclass(frozen=True, slots=True)
class Boosted:
    """Trees on binned features."""

    edges: tuple[Floats, ...]
    base: float
    trees: tuple[_Node, ...]

    def predict(self, x: Floats) -> Floats:
        """One value for each row of `x`, shape (rows, features)."""
        binned = _bin(x, self.edges)
        total = np.full(len(x), self.base)
        for tree in self.trees:
            total += _RATE * _walk(tree, binned)
        return total


def fit_boosted(x: Floats, y: Floats) -> Boosted:
    """Least-squares boosting of shallow trees over quantile bins."""
    levels = np.linspace(0, 1, _BINS + 1)[1:-1]
    edges = tuple(np.unique(np.quantile(x[:, column], levels)) for column in range(x.shape[1]))
    binned = _bin(x, edges)
    base = float(y.mean())
    current = np.full(len(y), base)
    trees = []
    for _ in range(_ROUNDS):
        tree = _grow(binned, y - current, np.arange(len(y)), _DEPTH)
        trees.append(tree)
        current += _RATE * _walk(tree, binned)
    return Boosted(edges, base, tuple(trees))


def _bin(x: Floats, edges: tuple[Floats, ...]) -> NDArray[np.int64]:
    columns = [np.searchsorted(edge, x[:, column], side="right") for column, edge in enumerate(edges)]
    return np.stack(columns, axis=1).astype(np.int64)


def _grow(binned: NDArray[np.int64], residual: Floats, rows: NDArray[np.int64], depth: int) -> _Node:
    here = residual[rows]
    value = float(here.sum() / (len(rows) + _RIDGE))
    split = _best_split(binned[rows], here) if depth and len(rows) >= 2 * _LEAF else None
    if split is None:
        return _Node(value)
    feature, cut = split
    goes_left = binned[rows, feature] <= cut
    left = _grow(binned, residual, rows[goes_left], depth - 1)
    right = _grow(binned, residual, rows[~goes_left], depth - 1)
    return _Node(value, feature, cut, left, right)


def _best_split(binned: NDArray[np.int64], residual: Floats) -> tuple[int, int] | None:
    """The feature and bin that reduce the squared error most; None where no leaf would be large enough."""
    best, found = 1e-9, None
    total, size = residual.sum(), len(residual)
    for feature in range(binned.shape[1]):
        counts = np.bincount(binned[:, feature], minlength=_BINS).cumsum()[:-1]
        sums = np.bincount(binned[:, feature], weights=residual, minlength=_BINS).cumsum()[:-1]
        gains = (
            sums**2 / (counts + _RIDGE) + (total - sums) ** 2 / (size - counts + _RIDGE) - total**2 / (size + _RIDGE)
        )
        gains[(counts < _LEAF) | (size - counts < _LEAF)] = 0.0
        cut = int(gains.argmax())
        if gains[cut] > best:
            best, found = float(gains[cut]), (feature, cut)
    return found


def _walk(node: _Node, binned: NDArray[np.int64]) -> Floats:
    if node.left is None or node.right is None:
        return np.full(len(binned), node.value)
    goes_left = binned[:, node.feature] <= node.cut
    out = np.empty(len(binned))
    out[goes_left] = _walk(node.left, binned[goes_left])
    out[~goes_left] = _walk(node.right, binned[~goes_left])
    return out
