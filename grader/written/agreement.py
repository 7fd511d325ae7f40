"""How far the second marker's scores agree with those of the exemplars' author."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from grader.errors import UsageError
from grader.model import Json
from grader.written.metrics import METRICS, interval
from grader.written.rubric import Exemplar, Rubric, load_exemplars

SECOND = "c"
"""The pass of the second marker; all others are the author's."""


def agreement(root: Path, rubrics: Mapping[str, Rubric]) -> Json:
    """The agreement on whole answers and on points, for the exemplars in `root` that both scored.

    Raises UsageError where there are none.
    """
    first, second, questions = list[float](), list[float](), list[str]()
    apart = list[float]()
    for name, rubric in rubrics.items():
        for exemplar in load_exemplars(root / "exemplars" / f"{name}.jsonl", rubric):
            if SECOND in exemplar.scores:
                both = _author(exemplar), exemplar.scores[SECOND]
                first.append(_total(both[0], rubric))
                second.append(_total(both[1], rubric))
                questions.append(name)
                apart += [abs(both[0][point.id] - both[1][point.id]) for point in rubric.points]
    if not first:
        raise UsageError("no exemplar has the scores of a second marker", hint=f"add the pass {SECOND!r}")
    one, two, gaps = np.array(first), np.array(second), np.array(apart)
    return {
        "answers": len(first),
        "points": len(apart),
        "answer": {
            name: [round(number, 4) for number in (metric(one, two), *interval(metric, one, two, questions))]
            for name, metric in METRICS.items()
        },
        "points_equal": round(float((gaps == 0).mean()), 4),
        "points_half_apart": int((gaps >= 0.5).sum()),
    }


def _author(exemplar: Exemplar) -> dict[str, float]:
    passes = [given for name, given in exemplar.scores.items() if name != SECOND]
    return {point: sum(given[point] for given in passes) / len(passes) for point in passes[0]}


def _total(given: Mapping[str, float], rubric: Rubric) -> float:
    return sum(point.weight * given[point.id] for point in rubric.points) / rubric.weight
