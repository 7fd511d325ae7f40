"""Names the likely bug: what a suite suspects of the code, held against the task's catalogue of slips.

A suspicion never costs a point. It is kept for interviewers, and shown only where the task lost points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from grader.errors import TaskBroken
from grader.model import Bug, Diagnosis
from grader.text import sanitize_line

ALONE: Final = 0.95
"""Confidence where exactly one known bug gives what the candidate gave."""
AMONG_SEVERAL: Final = 0.6
MAX_EVIDENCE: Final = 300

Array = npt.NDArray[Any]


class Suspicions:
    """The fixture `diagnosis`. Without a catalogue (a candidate's kit has none) nothing is kept."""

    def __init__(self, bugs: Sequence[Bug], *, complete: bool) -> None:
        self._bugs = {bug.id: bug for bug in bugs}
        self._complete = complete
        self._found: dict[str, Diagnosis] = {}
        self.rank = 0
        """Which check is running, counted in the order of a run by one judge."""
        self.ranks: dict[str, int] = {}
        """By id: the check that said what is kept."""

    def suspect(self, bug: str, *, confidence: float, evidence: str) -> None:
        """Keeps a suspicion; of two with one id the more confident. Raises TaskBroken for an id without a table."""
        if bug not in self._bugs:
            if self._complete:
                raise TaskBroken(f"hidden/bugs.toml has no table [{bug}]", hint="add it, or mend the id in the suite")
            return
        if not 0.0 < confidence <= 1.0:
            raise TaskBroken(f"the confidence in {bug} is {confidence}", hint="give a number in (0, 1]")
        known = self._found.get(bug)
        sooner = known is not None and confidence == known.confidence and self.rank < self.ranks[bug]
        if known is None or confidence > known.confidence or sooner:
            entry, self.ranks[bug] = self._bugs[bug], self.rank
            self._found[bug] = Diagnosis(
                id=bug,
                bug=entry.text,
                question=entry.question,
                confidence=round(float(confidence), 3),
                evidence=sanitize_line(evidence, MAX_EVIDENCE),
            )

    def closest(self, actual: Array, known: Mapping[str, Array], *, atol: float, what: str) -> list[str]:
        """The ids of those known bugs whose prediction `actual` equals within `atol`; each is suspected.

        Shapes must match and everything be finite; an odd `actual` fits nothing. Never raises for its values.
        """
        fits = {bug: gap for bug, array in known.items() if (gap := _gap(actual, array)) <= atol}
        for bug, gap in fits.items():
            confidence = ALONE if len(fits) == 1 else AMONG_SEVERAL
            line = (
                f"{what}: within {gap:.1e} of what this bug gives ({np.size(actual)} values, {len(known)} bugs tried)"
            )
            self.suspect(bug, confidence=confidence, evidence=line)
        return list(fits)

    def found(self) -> tuple[Diagnosis, ...]:
        """All suspicions, the most confident first."""
        return tuple(sorted(self._found.values(), key=lambda row: (-row.confidence, row.id)))


def _gap(actual: Array, predicted: Array) -> float:
    """The largest difference of two arrays of one shape; infinity where they cannot be compared."""
    numeric = np.asarray(actual).dtype.kind in "fiub"
    if not numeric or np.shape(actual) != np.shape(predicted) or np.size(actual) == 0:
        return float("inf")
    difference = np.abs(np.asarray(actual, dtype=np.float64) - np.asarray(predicted, dtype=np.float64))
    return float(difference.max()) if np.isfinite(difference).all() else float("inf")
