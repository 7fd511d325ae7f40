"""Scores for answers without a rubric, each question by a model that saw only other questions.

Two curves are averaged: an isotonic one on the share of the reference's rare words, and boosted trees on all features
of `lexical`. Their mean is spread by `SPREAD`: a mean of models is too timid to be a grade. With graded exemplars
of the question itself, their errors correct its answers, near ones most. One configuration for every data set.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from grader.written.boosting import Floats, fit_boosted, fit_isotonic
from grader.written.lexical import Item, features, likeness

FOLDS = 20
"""Questions are left out one by one up to this many, in groups beyond it."""
SPREAD = 1.3
_NEAR, _PRIOR = 6.0, 2.0
"""How fast an exemplar's say fades with distance, and how many exemplars the question's own level is worth against."""


def predict_unseen(items: Sequence[Item], scores: Floats, questions: Sequence[str]) -> Floats:
    """The score in [0, 1] of each item, by models fitted without its question."""
    rows = features(items)
    names = sorted(set(questions))
    folds = np.array([names.index(name) % min(FOLDS, len(names)) for name in questions])
    predicted = np.full(len(items), float(scores.mean()))
    for fold in range(min(FOLDS, len(names)) if len(names) > 1 else 0):
        test = folds == fold
        predicted[test] = _fit_and_predict(rows[~test], scores[~test], rows[test])
    clipped: Floats = np.clip(predicted, 0.0, 1.0)
    return clipped


def _fit_and_predict(rows: Floats, scores: Floats, unseen: Floats) -> Floats:
    curve = fit_isotonic(rows[:, 0], scores).predict(unseen[:, 0])
    trees = fit_boosted(rows, scores).predict(unseen)
    middle = float(scores.mean())
    return middle + SPREAD * ((curve + trees) / 2 - middle)


def choose_exemplars(scores: Floats, questions: Sequence[str], count: int) -> NDArray[np.bool_]:
    """For each question with at least twice as many answers, `count` of them spread over its range of scores."""
    chosen = np.zeros(len(scores), dtype=bool)
    for name in sorted(set(questions)) if count else []:
        rows = np.flatnonzero(np.asarray(questions) == name)
        if len(rows) >= 2 * count:
            order = rows[np.argsort(scores[rows], kind="stable")]
            chosen[order[np.round(np.linspace(0, len(order) - 1, count)).astype(int)]] = True
    return chosen


def corrected(
    predicted: Floats, items: Sequence[Item], scores: Floats, questions: Sequence[str], given: NDArray[np.bool_]
) -> Floats:
    """`predicted`, moved by what the graded exemplars (`given`) of the same question show of its errors."""
    similar = likeness([item.answer for item in items])
    out = predicted.copy()
    names = np.asarray(questions)
    for name in sorted(set(questions)):
        known = np.flatnonzero((names == name) & given)
        if not len(known):
            continue
        errors = scores[known] - predicted[known]
        level = errors.sum() / (len(known) + _PRIOR)
        for row in np.flatnonzero((names == name) & ~given):
            near = np.exp(_NEAR * (np.array([similar(int(row), int(one)) for one in known]) - 0.6))
            out[row] += level + float((near * (errors - level)).sum() / (near.sum() + 0.3))
    clipped: Floats = np.clip(out, 0.0, 1.0)
    return clipped
