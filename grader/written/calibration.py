"""What a state of matching is worth: fitted on the train half of the exemplars, stored as JSON, read at run time.

`python -m grader.written.fit` writes the file. Credits never fall as more of a point is found.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from grader.errors import TaskBroken
from grader.written.match import Found, State

PARTS = (State.NONE, State.FEW, State.HALF, State.MOST, State.SCATTERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Credit in [0, 1] for each state, without (`low`) and with (`high`) the support of similar words."""

    version: int
    low: Mapping[str, float]
    high: Mapping[str, float]
    similarity: float
    """The share of a model sentence's words from which an answer counts as similar."""
    confidence: Mapping[str, float]
    """By state: how often the verdict was within a quarter of a person's score."""
    exemplars: int
    """How many answers it was fitted on."""

    def credit(self, found: Found) -> float:
        """The share of the point's weight that `found` earns, before misconceptions are deducted."""
        if found.state is State.MET:
            return 1.0
        if found.state is State.CONTRADICTED:
            return 0.0
        return (self.high if found.similarity >= self.similarity else self.low)[found.state]


def from_json(text: str) -> Calibration:
    """The calibration in `text`. Raises TaskBroken where credits are missing or outside [0, 1]."""
    try:
        calibration = Calibration(**json.loads(text))
        worths = [table[state] for table in (calibration.low, calibration.high) for state in PARTS]
        usable = all(0 <= credit <= 1 for credit in worths) and all(state in calibration.confidence for state in State)
    except (ValueError, TypeError, KeyError) as error:
        raise TaskBroken(f"calibration.json: {error}", hint="run python -m grader.written.fit") from error
    if not usable:
        raise TaskBroken("calibration.json: a credit is outside [0, 1]", hint="run python -m grader.written.fit")
    return calibration


@cache
def shipped() -> Calibration:
    """The calibration that comes with the package."""
    return from_json(files("grader.written").joinpath("calibration.json").read_text(encoding="utf-8"))
