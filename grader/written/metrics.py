"""Agreement of two lists of scores in [0, 1], with intervals from a bootstrap over questions.

Answers to one question are alike; drawing whole questions, not answers, keeps the interval honest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Metric = Callable[[Scores, Scores], float]
BINS = 5
"""QWK compares scores in five steps of a quarter."""


def pearson(human: Scores, machine: Scores) -> float:
    """Pearson's r; 0 where one of them is constant."""
    if len(human) < 2 or human.std() < 1e-12 or machine.std() < 1e-12:
        return 0.0
    return float(np.corrcoef(human, machine)[0, 1])


def spearman(human: Scores, machine: Scores) -> float:
    """Pearson's r of the mid-ranks."""
    return pearson(_ranks(human), _ranks(machine))


def qwk(human: Scores, machine: Scores, bins: int = BINS) -> float:
    """Cohen's kappa with quadratic weights over `bins` equal steps; 1 where both are one and the same step."""
    first, second = _binned(human, bins), _binned(machine, bins)
    table = np.zeros((bins, bins))
    np.add.at(table, (first, second), 1)
    weights = (np.arange(bins)[:, None] - np.arange(bins)[None, :]) ** 2.0
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    disagreement = float((weights * expected).sum())
    return 1.0 - float((weights * table).sum()) / disagreement if disagreement else 1.0


def rmse(human: Scores, machine: Scores) -> float:
    """Root mean square error."""
    return float(np.sqrt(np.mean((human - machine) ** 2)))


def mean_error(human: Scores, machine: Scores) -> float:
    """Mean absolute error."""
    return float(np.abs(human - machine).mean())


def bias(human: Scores, machine: Scores) -> float:
    """How much higher the machine scores, on average."""
    return float((machine - human).mean())


METRICS: dict[str, Metric] = {
    "pearson": pearson,
    "spearman": spearman,
    "qwk": qwk,
    "rmse": rmse,
    "mae": mean_error,
    "bias": bias,
}


def interval(
    metric: Metric, human: Scores, machine: Scores, questions: Sequence[str], *, draws: int = 500, seed: int = 7
) -> tuple[float, float]:
    """The 2.5 and 97.5 percent points of `metric` over `draws` bootstrap samples of whole questions."""
    groups = [np.flatnonzero(np.asarray(questions) == name) for name in sorted(set(questions))]
    if len(groups) < 2:
        value = metric(human, machine)
        return value, value
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(draws):
        rows = np.concatenate([groups[index] for index in rng.integers(len(groups), size=len(groups))])
        values.append(metric(human[rows], machine[rows]))
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _binned(scores: Scores, bins: int) -> NDArray[np.int64]:
    return np.clip(np.floor(scores * (bins - 1) + 0.5), 0, bins - 1).astype(np.int64)


def _ranks(values: Scores) -> Scores:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    middle = (ends - counts + ends - 1) / 2.0
    ranks: Scores = middle[inverse]
    return ranks
