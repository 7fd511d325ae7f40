"""One server that forks the judges of a whole test process: a second of imports less for each grading."""

from __future__ import annotations

import atexit
import functools

from grader.judge.launch import Start
from grader.judge.starting import StartedJudge
from grader.judge.warm import WarmJudges, is_available


@functools.cache
def start() -> Start:
    """For `Request.start`. Not for a test that changes what a judge finds in its environment."""
    if not is_available():
        return StartedJudge
    judges = WarmJudges()
    atexit.register(judges.__exit__)
    return judges.start
