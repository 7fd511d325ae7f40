"""Judges without their start-up: forked by a server, and the next one of a slot started while the slot is busy.

A judge that is started ahead has its job, its sandbox up and its suite collected, and waits for `go`. Its sandbox is
that of this one job, and sees no byte of a submission before.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import IO, Final, Self

from grader.judge import starting
from grader.judge.job import Job
from grader.judge.launch import Start
from grader.judge.starting import Process, StartedJudge

ANSWER_S: Final = 60.0
"""Importing takes the server a second of CPU; a machine may be busy."""


class Forked:
    """A process that is not our child, watched by a descriptor of it; see starting.Process."""

    def __init__(self, pid: int) -> None:
        """Raises OSError where the kernel has no such descriptors."""
        self._file: int | None = None
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            self._file = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """None while it runs; how it ended is not known."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """See Process."""
        if self._file is None:
            return 0
        if not select.select([self._file], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired("judge", timeout or 0)
        os.close(self._file)
        self._file = None
        return 0

    def send_signal(self, sig: int) -> None:
        """See Process."""
        if self._file is None:
            raise ProcessLookupError
        signal.pidfd_send_signal(self._file, sig)


class Server:
    """`grader.judge.server` as a process of ours. Where it cannot serve, judges are new interpreters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(ANSWER_S)
        with theirs:
            self._process = subprocess.Popen(  # our own interpreter with arguments of our own
                starting.interpreter("grader.judge.server", str(theirs.fileno()), str(os.getpid())),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=starting.environment(),
                start_new_session=True,
            )

    def spawn(self, stdin: int, events: int, log: IO[bytes], folder: str) -> Process:
        """See starting.Spawn."""
        with self._lock:
            try:
                socket.send_fds(self._line, [os.fsencode(folder)], [stdin, events, log.fileno()])
                return Forked(int(self._line.recv(64)))
            except (OSError, ValueError):
                self._line.close()  # a late answer must not be taken for that to another request
        return starting.spawn(stdin, events, log, folder)

    def close(self) -> None:
        """Ends it; judges that run go on."""
        self._line.close()
        try:
            self._process.wait(starting.STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class WarmJudges:
    """Judges for the slots of a pool, `slots` many. Use it as a context manager; safe for a thread for each slot."""

    def __init__(self, slots: int = 1) -> None:
        self._slots = slots
        self._lock = threading.Lock()
        self._users: set[int] = set()
        self._ahead: dict[str, tuple[int, Future[StartedJudge]]] = {}
        self._server = Server()
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="ahead")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the judges that nobody wants any more."""
        with self._lock:
            unwanted = list(self._ahead.values())
            self._ahead.clear()
        for _slot, future in unwanted:
            self._threads.submit(_dismiss, future)
        self._threads.shutdown()
        self._server.close()

    def prepare(self, job: Job) -> None:
        """Starts a judge for a job that will probably be the next in its slot; at once, in the background."""
        with self._lock:
            self._ahead[job.run_id] = (job.slot, self._threads.submit(self._new, job))

    def has(self, run_id: str, slot: int) -> bool:
        """True where a judge for that run was started for that slot."""
        with self._lock:
            return self._ahead.get(run_id, (-1,))[0] == slot

    def is_ahead(self, slot: int) -> bool:
        """True where some judge was started for that slot's next job."""
        with self._lock:
            return any(number == slot for number, _ in self._ahead.values())

    def start(self, job: Job) -> StartedJudge:
        """The judge of that job: the one that was started ahead, where it fits. See launch.Start."""
        with self._lock:
            slot, future = self._ahead.pop(job.run_id, (-1, None))
        if future is not None and slot != job.slot:
            _dismiss(future)  # it has the cores of another slot
        elif future is not None:
            with contextlib.suppress(Exception):  # whatever it was, a new one will say
                judge = future.result()
                if judge.process.poll() is None:
                    return judge
                judge.close()
        return self._new(job)

    def _new(self, job: Job) -> StartedJudge:
        user = self._claim(job.slot)
        try:
            return _Lent(self, user, replace(job, slot=user))
        except BaseException:
            self.release(user)
            raise

    def _claim(self, slot: int) -> int:
        """A user id's number for a sandbox: the one that starts in a slot shares nothing with the one that ends."""
        with self._lock:
            user = next((user for user in (slot, slot + self._slots) if user not in self._users), slot)
            self._users.add(user)
            return user

    def release(self, user: int) -> None:
        """A sandbox is gone."""
        with self._lock:
            self._users.discard(user)

    def spawn(self, stdin: int, events: int, log: IO[bytes], folder: str) -> Process:
        """See starting.Spawn."""
        return self._server.spawn(stdin, events, log, folder)


class _Lent(StartedJudge):
    """A judge that gives its user id back."""

    def __init__(self, judges: WarmJudges, user: int, job: Job) -> None:
        self._judges, self._user = judges, user
        super().__init__(job, judges.spawn)

    def close(self) -> None:
        """See StartedJudge."""
        super().close()
        self._judges.release(self._user)


def _dismiss(future: Future[StartedJudge]) -> None:
    with contextlib.suppress(Exception):
        future.result().close()


@contextlib.contextmanager
def shared_start(given: Start, slots: int, *, several: bool) -> Iterator[Start]:
    """Judges that share their start-up where there are several and the caller has no such already; else `given`."""
    if not several or given is not StartedJudge or not is_available():
        yield given
        return
    with WarmJudges(slots) as judges:
        yield judges.start


def is_available() -> bool:
    """Forked judges need Linux: elsewhere libraries do not survive a fork."""
    return hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal") and hasattr(socket, "send_fds")
