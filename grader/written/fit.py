"""Fits what the states of matching are worth on the train half of all exemplars, and writes calibration.json.

`python -m grader.written.fit tasks/written`. Each credit is the mean of the people's scores of the points in that
state, drawn towards the neighbouring default where there are few, and never falls as more is found.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from grader.atomic import write_text
from grader.written.boosting import fit_isotonic
from grader.written.calibration import PARTS, Calibration, shipped
from grader.written.compiled import CompiledRubric, compile_rubrics
from grader.written.grade import grade_answer
from grader.written.guards import CAPS
from grader.written.match import State
from grader.written.rubric import load_exemplars, load_rubrics

_PRIOR = 8.0
"""How many points the default is worth."""
_CLOSE = 0.25

Seen = tuple[State, bool, float, float]
"""State, whether the wording is similar, the person's score of the point, the machine's."""


def fit(root: Path, start: Calibration) -> Calibration:
    """The calibration for the rubrics and exemplars in the folder `root`."""
    rubrics = compile_rubrics(load_rubrics(root).values())
    seen: list[Seen] = []
    answers = 0
    for name, rubric in rubrics.items():
        rows, count = _seen(root, name, rubric, start)
        seen += rows
        answers += count
    return Calibration(
        version=start.version,
        low=_credits(seen, start.low, similar=False),
        high=_credits(seen, start.high, similar=True),
        similarity=start.similarity,
        confidence={state: _confidence(row for row in seen if row[0] is state) for state in State},
        exemplars=answers,
    )


def _seen(root: Path, name: str, rubric: CompiledRubric, start: Calibration) -> tuple[list[Seen], int]:
    """Every point of every train exemplar that no guard capped, and how many exemplars those are."""
    rows, answers = list[Seen](), 0
    for exemplar in load_exemplars(root / "exemplars" / f"{name}.jsonl", rubric.rubric):
        if exemplar.split != "train":
            continue
        grade = grade_answer(rubric, exemplar.text, start)
        if set(grade.flags) & set(CAPS):
            continue
        answers += 1
        for point in grade.points:
            similar = point.found.similarity >= start.similarity
            if not point.found.misconceptions:
                rows.append((point.found.state, similar, exemplar.point_score(point.id), point.credit))
    return rows, answers


def _credits(seen: Iterable[Seen], default: Mapping[str, float], *, similar: bool) -> dict[str, float]:
    """The shrunken mean for each state, made rising by pooling."""
    rows = [row for row in seen if row[1] is similar]
    means = []
    for state in PARTS:
        scores = [row[2] for row in rows if row[0] is state]
        means.append((sum(scores) + _PRIOR * default[state]) / (len(scores) + _PRIOR))
    places = np.arange(len(means), dtype=float)
    curve = fit_isotonic(places, np.array(means)).predict(places)
    credits_by_state: dict[str, float] = {
        state: round(float(credit), 3) for state, credit in zip(PARTS, curve, strict=True)
    }
    # Nothing found and nothing similar is nothing earned, whatever a person made of it.
    return credits_by_state if similar else credits_by_state | {"none": 0.0}


def _confidence(rows: Iterable[Seen]) -> float:
    """How often the machine was within a quarter of the person; one half counts as known before."""
    close = [abs(machine - human) <= _CLOSE for _, _, human, machine in rows]
    return round((sum(close) + 1) / (len(close) + 2), 3)


def main(arguments: list[str]) -> None:
    """Writes the calibration for the folder named, and prints it."""
    calibration = fit(Path(arguments[0]), shipped())
    names = ("version", "low", "high", "similarity", "confidence", "exemplars")
    text = json.dumps({name: getattr(calibration, name) for name in names}, indent=2) + "\n"
    write_text(Path(__file__).with_name("calibration.json"), text)
    print(text)  # noqa: T201 -- a command


if __name__ == "__main__":
    main(sys.argv[1:])
