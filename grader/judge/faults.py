"""How a check ends other than by passing. Only `SandboxDown` and unknown exceptions are ours.

CandidateFault          the candidate's: carries the outcome and one line
├── Mismatch            also an AssertionError: the answer came and is wrong
│   └── PartialCredit   wrong, but worth a share of the points
└── Blocked             depends on a check that did not pass
SandboxDown             ours: the engine or the host failed by its own evidence
"""

from __future__ import annotations

from grader.model import Outcome


class CandidateFault(Exception):
    """The candidate's code, not ours, is why the check does not pass."""

    def __init__(
        self,
        outcome: Outcome,
        message: str,
        *,
        location: str = "",
        exception: str = "",
        traceback: str = "",
        memory: str = "",
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        self.location = location
        self.exception = exception
        self.traceback = traceback
        self.memory = memory or ("host" if outcome is Outcome.MEMORY else "")
        """Whose memory was used up: "gpu" or "host"; "" where none was."""


class Mismatch(CandidateFault, AssertionError):
    """An answer of the wrong type, shape or value."""

    def __init__(self, message: str) -> None:
        super().__init__(Outcome.FAILED, message)


class PartialCredit(Mismatch):
    """Ends a check as failed, with `fraction` of its points."""

    def __init__(self, fraction: float, message: str) -> None:
        super().__init__(message)
        self.fraction = fraction


class Blocked(CandidateFault):
    """Cannot be judged: `check` did not pass."""

    def __init__(self, check: str) -> None:
        super().__init__(Outcome.BLOCKED, f"cannot be judged because the check {check} did not pass")


class SandboxDown(Exception):
    """The engine or the host failed while a check ran; the candidate pays nothing."""
