"""The exceptions that mean *we* cannot go on, and the exit code each one ends with.

A candidate's fault is never an exception here: it is an `Outcome` in the report (see `model`).

    GraderError
    ├── UsageError             2   the command line, a path or a configuration file is wrong
    │   └── SubmissionRejected 2   intake refuses the submission (a report is still written)
    ├── TaskBroken             3   a task file, a suite or a rubric of ours is wrong
    ├── SandboxUnavailable     4   no engine, no image, no GPU: nothing was run
    │   └── AttestationFailed  4   the sandbox is not what was asked for: nothing was sent to it
    └── Ungraded               5   the run broke for a reason of ours after it had begun
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; documented in README.md."""

    GRADED = 0
    """Graded (or: the command did what it was asked)."""
    BELOW_THRESHOLD = 1
    """Graded, and the score is below `--fail-under`."""
    USAGE = 2
    """Usage error or input that cannot be read; also a submission that intake refuses."""
    TASK_BROKEN = 3
    """A task of ours is broken; no candidate lost a point by it."""
    SANDBOX_UNAVAILABLE = 4
    """No isolation can be had, so nothing was run."""
    UNGRADED = 5
    """At least one submission could not be graded for a reason of ours."""
    BUG = 70
    """A bug in grader."""
    INTERRUPTED = 130
    """Interrupted from the keyboard."""


class GraderError(Exception):
    """Base of all errors that reach the user: one line that says what happened and what to do."""

    exit_code = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UsageError(GraderError):
    """The command line, a path or a configuration value is wrong."""

    exit_code = ExitCode.USAGE


class SubmissionRejected(UsageError):
    """Intake refuses the submission: a link, a bomb, a name outside the rules, nothing to grade."""


class TaskBroken(GraderError):
    """A task's files contradict the schema, the suite or each other."""

    exit_code = ExitCode.TASK_BROKEN
    task = ""
    """Its id, where it is known."""


class SandboxUnavailable(GraderError):
    """The sandbox asked for cannot be started on this machine."""

    exit_code = ExitCode.SANDBOX_UNAVAILABLE


class AttestationFailed(SandboxUnavailable):
    """The sandbox runs, but not with the isolation that was asked for; candidate code was not sent."""


class Ungraded(GraderError):
    """The engine or the host failed, by its own evidence, while a submission was being graded."""

    exit_code = ExitCode.UNGRADED
