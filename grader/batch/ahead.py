"""What a pool prepares for its slots: the judge and the sandbox of the job that is likely to be next."""

from __future__ import annotations

from grader.batch.unit import Unit, placed
from grader.judge.warm import WarmJudges
from grader.pipeline import job_for
from grader.runners.protocol import Slot


class JudgesAhead:
    """See runners.protocol.Ahead."""

    def __init__(self, judges: WarmJudges) -> None:
        self._judges = judges

    def prepare(self, unit: Unit, slot: Slot) -> bool:
        """See Ahead. A GPU is lent to one job at a time, and written answers need no judge."""
        if unit.task.kind != "code" or (unit.task.gpu != "none" and slot.gpus != "none"):
            return False
        if unit.task.id not in unit.submission.entries:
            return False
        self._judges.prepare(job_for(unit.task, unit.submission, placed(unit, slot), unit.run))
        return True

    def holds(self, unit: Unit, slot: Slot) -> bool:
        """See Ahead."""
        return self._judges.has(unit.run.id, slot.number)

    def is_full(self, slot: Slot) -> bool:
        """See Ahead."""
        return self._judges.is_ahead(slot.number)
