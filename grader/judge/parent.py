"""The process that wants a judge's work, as the judge sees it: it gives the job, says go and what is next, and may die
at any moment.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Final

import psutil

from grader.errors import GraderError
from grader.judge.job import SCRATCH_PREFIX, Job
from grader.judge.starting import GO, NO_MORE
from grader.sandbox import backend

ORDERLY_END_S: Final = 15.0
EXIT_ORPHANED: Final = 1


class Parent:
    """Our standard input comes from it: a job, the word to go, turns; the end of it is the parent's end."""

    def __init__(self, pid: int) -> None:
        self._pid = pid  # asking the system would name whoever took us over, where it died while we started
        self._go, self._ended = threading.Event(), threading.Event()
        self._turns: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._follower: threading.Thread | None = None

    def job(self) -> Job:
        """Waits for the job. Ends this process where the parent died while it wrote."""
        line = sys.stdin.buffer.readline()
        if not line.endswith(b"\n"):
            _remove_scratch()
            os._exit(EXIT_ORPHANED)
        return Job.from_json(json.loads(line))

    def follow(self, job: Job) -> None:
        """From now on its end ends us, by SIGTERM."""
        self._follower = threading.Thread(target=self._follow, args=(job,), daemon=True)
        self._follower.start()

    def wait_for_go(self) -> None:
        """Returns once the submission may be sent into the sandbox."""
        self._go.wait()

    def next_turn(self) -> int | None:
        """The number of the next group of checks; None where nothing is left to do."""
        return self._turns.get()

    def done(self) -> None:
        """Our work is over. Where the parent has died, its last duty is done before this returns."""
        self._ended.set()
        if self._follower and self._is_gone():
            self._follower.join()

    def _follow(self, job: Job) -> None:
        """The interrupt lets everything close in order.

        It can be lost (Python drops what is raised in a destructor) or come while the engine makes a container that
        nobody knows of yet, so a parent that died has its last duty, removing the containers and the scratch folder,
        done here.
        """
        while (line := sys.stdin.buffer.readline()).endswith(b"\n"):
            if line == GO:
                self._go.set()
            else:
                self._turns.put(None if line == NO_MORE else int(line))
        os.kill(os.getpid(), signal.SIGTERM)
        self._ended.wait(ORDERLY_END_S)
        if not self._is_gone():
            return  # it does both itself
        with contextlib.suppress(GraderError):  # an engine that is gone holds nothing that we could remove
            backend(job.backend).reap(job.run_id)
        _remove_scratch()
        os._exit(EXIT_ORPHANED)

    def _is_gone(self) -> bool:
        """It need not be our parent by the system's reckoning: a server may have forked us for it."""
        try:
            return psutil.Process(self._pid).status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
        except psutil.Error:
            return True


def _remove_scratch() -> None:
    scratch = Path(os.environ["TMPDIR"])
    if scratch.name.startswith(SCRATCH_PREFIX):
        shutil.rmtree(scratch, ignore_errors=True)
