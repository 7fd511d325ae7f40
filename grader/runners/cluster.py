"""Runs jobs on the nodes of a Ray cluster, each as one task that tells its words as a stream.

Ray is never asked to repeat a job: a node that is lost is heard of as a failure of ours, and whoever started the job
tries again, with a run of its own. Jobs and answers are pickled, between processes of one trusted cluster only.
"""

from __future__ import annotations

import logging
import os
import socket
import time
import warnings
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic

from grader.errors import SandboxUnavailable, Ungraded, UsageError
from grader.runners.node import Begun, Done, Said, Word, words_of
from grader.runners.protocol import Ahead, Answer, Elsewhere, Ended, Helper, Job, Needs, Runner, Slot, Told, Work
from grader.text import sanitize_line

CONNECT_S: Final = 5.0
READ_S: Final = 120.0
"""For a word that is there and must come over the network."""
AVOID_S: Final = 300.0
"""How long no job goes to a node that could not run one."""
STARVED_S: Final = 600.0
"""How long all jobs may wait for a node; a cluster that grows needs minutes."""
_SKIPPED: Final = "RAY_DEDUP_LOGS_SKIP_REGEX"
_NODE: Final = "ray.io/node-id"


@dataclass(slots=True)
class _Running(Generic[Job]):
    job: Job
    slot: Slot
    node: str = ""
    """"" while it waits for one."""


class Cluster(Generic[Job, Answer]):
    """See Runner."""

    def __init__(self, work: Work[Job, Answer], slots: Sequence[Slot], elsewhere: Elsewhere[Job]) -> None:
        self._ray = connect(elsewhere.address)
        self._elsewhere = elsewhere
        try:
            self._has_gpus = any(node["Resources"].get("GPU") for node in alive(self._ray.nodes()))
            count = len(slots) or self._count()
            self._work = self._ray.put(work)
            self._words = self._ray.remote(words_of)
        except BaseException:
            self._ray.shutdown()
            raise
        self._free = [Slot(number=number) for number in reversed(range(count))]
        self.slots = count
        """How many jobs run or wait for a node at a time."""
        self._running: dict[Any, _Running[Job]] = {}
        self._said: deque[Told[Job] | Ended[Job, Answer]] = deque()
        self._sent: dict[str, Any] = {}
        self._avoided: dict[str, float] = {}
        self._heard = time.monotonic()
        self._stopped = False

    def _count(self) -> int:
        """How many of the largest job the nodes carry now."""
        largest = self._settled(self._elsewhere.largest)
        count = sum(carried(node, largest) for node in alive(self._ray.nodes()))
        if count:
            return count
        message = f"no node of the Ray cluster has {_shown(largest)} for a job"
        raise SandboxUnavailable(message, hint="add such a node, lower the limits, or give -j if the cluster grows")

    def _settled(self, needs: Needs) -> Needs:
        return needs if self._has_gpus or not needs.gpus_if_any else replace(needs, gpus=0)

    @property
    def models(self) -> tuple[str, ...]:
        """Kinds of accelerators of the nodes."""
        names = {name for node in alive(self._ray.nodes()) for name in node["Resources"]}
        return tuple(sorted(name.partition(":")[2] for name in names if name.startswith("accelerator_type:")))

    @property
    def free(self) -> int:
        """See Runner."""
        return 0 if self._stopped else len(self._free)

    def choose(self, _jobs: Sequence[Job]) -> int:
        """See Runner."""
        return 0

    def expect(self, jobs: Sequence[Job]) -> None:
        """See Runner. Ray places a job when it starts it: there is no slot to prepare."""

    def assist(self) -> Sequence[tuple[Slot, Job]]:
        """See Runner. A judge on another machine could not be told what the first one leaves."""
        return ()

    def start(self, job: Job) -> Slot:
        """See Runner."""
        slot, needs = self._free.pop(), self._settled(self._elsewhere.needs(job))
        name, make = self._elsewhere.shared(job)
        if name not in self._sent:
            self._sent[name] = self._ray.put(make())
        if not self._running:
            self._heard = time.monotonic()
        stream = self._words.options(**self._options(needs)).remote(self._work, job, self._sent[name], needs)
        self._running[stream] = _Running(job, slot)
        return slot

    def _options(self, needs: Needs) -> dict[str, Any]:
        avoided = sorted(node for node, until in self._avoided.items() if until > time.monotonic())
        return {
            "num_cpus": needs.cpus,
            "memory": needs.memory_bytes or None,
            "num_gpus": needs.gpus,
            "num_returns": "streaming",
            "max_retries": 0,
            "scheduling_strategy": "SPREAD",
            "label_selector": {_NODE: f"!in({','.join(avoided)})"} if avoided else None,
        }

    def next(self, timeout_s: float) -> Told[Job] | Ended[Job, Answer] | None:
        """See Runner."""
        deadline = time.monotonic() + max(timeout_s, 0)
        while not self._said:
            left = max(deadline - time.monotonic(), 0)
            if not self._running:
                time.sleep(left)
                return None
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=left)
            if ready:
                self._hear(ready[0])
            else:
                self._end_starved()
                if not self._said:
                    return None
        return self._said.popleft()

    def _hear(self, stream: Any) -> None:  # noqa: ANN401 - Ray's own
        """Takes one word of a job."""
        entry, word = self._running[stream], self._read(stream)
        self._heard = time.monotonic()
        if isinstance(word, Begun):
            entry.node = word.node
        elif isinstance(word, Said):
            self._said.append(Told(job=entry.job, slot=entry.slot, what=word.what))
        else:
            self._end(stream, word)

    def _read(self, stream: Any) -> Word:  # noqa: ANN401 - Ray's own
        from ray.exceptions import RayError, RayTaskError

        try:
            word: Word = self._ray.get(next(stream), timeout=READ_S)
        except StopIteration:
            return Done(error=Ungraded("a job ended on its node without a word", hint="see the logs of Ray"))
        except RayTaskError as error:
            lines = str(error).strip().splitlines() or [""]
            return Done(error=Ungraded(f"a job failed on its node: {sanitize_line(lines[-1], 300)}"))
        except RayError as error:
            kind = type(error).__name__
            return Done(error=Ungraded(f"the node or the process that ran it was lost ({kind})"))
        return word

    def _end(self, stream: Any, word: Done) -> None:  # noqa: ANN401 - Ray's own
        entry, error = self._running.pop(stream), word.error
        if isinstance(error, SandboxUnavailable) and entry.node:
            error = self._avoid(entry.node, error)
        self._free.append(entry.slot)
        answer: Any = word.answer
        self._said.append(Ended(job=entry.job, slot=entry.slot, answer=answer, error=error))

    def _avoid(self, node: str, error: SandboxUnavailable) -> Exception:
        """One node without an engine must not end the batch, nor be given job after job: the others go on."""
        now = time.monotonic()
        self._avoided = {name: until for name, until in self._avoided.items() if until > now}
        others = [row for row in alive(self._ray.nodes()) if row["NodeID"] not in {node, *self._avoided}]
        if not any(carried(row, self._settled(self._elsewhere.largest)) for row in others):
            return error
        self._avoided[node] = now + AVOID_S
        return Ungraded(error.message, hint=error.hint)

    def _end_starved(self) -> None:
        """Where nothing runs, and no node has taken a job for long, the jobs are given back."""
        if any(entry.node for entry in self._running.values()) or time.monotonic() < self._heard + STARVED_S:
            return
        message = f"no node of the Ray cluster took a job for {STARVED_S / 60:.0f} minutes"
        for stream in list(self._running):
            self._ray.cancel(stream)
            self._end(stream, Done(error=SandboxUnavailable(message, hint="see `ray status`")))

    def stop(self, timeout_s: float) -> bool:
        """See Runner."""
        self._stopped = True
        deadline = time.monotonic() + timeout_s
        for stream in list(self._running):
            self._ray.cancel(stream)
        while self._running and (left := deadline - time.monotonic()) > 0:
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=left)
            for stream in ready:
                self._hear(stream)
        ended = not self._running
        self._running.clear()
        self._ray.shutdown()
        return ended


def connect(address: str) -> Any:  # noqa: ANN401 - a module without types of its own for what is used here
    """The module `ray`, connected. Raises UsageError without Ray, SandboxUnavailable where no cluster answers."""
    ray = _quiet_ray()
    _look(address)
    try:
        with warnings.catch_warnings():
            # Ray announces a change of CUDA_VISIBLE_DEVICES, which no sandbox sees.
            warnings.filterwarnings("ignore", category=FutureWarning, message=".*accelerator visible devices.*")
            ray.init(address=address or "auto", logging_level=logging.ERROR, log_to_driver=False)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = f"at {sanitize_line(address, 60)}" if address else "on this machine"
        hint = "run `ray start` here first, or give --address of a cluster that this machine belongs to"
        reason = sanitize_line(str(error).strip().partition("\n")[0], 160)
        raise SandboxUnavailable(f"no Ray cluster can be used {where}: {reason}", hint=hint) from error
    return ray


def _quiet_ray() -> Any:  # noqa: ANN401 - as above
    """The module. Ray prints the last words of nodes to standard output, which is not its own: it is told to skip them.

    It reads that from the environment, once.
    """
    before = os.environ.get(_SKIPPED)
    os.environ.setdefault(_SKIPPED, ".")
    try:
        import ray
    except ImportError as error:
        raise UsageError("the runner ray needs Ray", hint="pip install 'ml-interview-grader[ray]'") from error
    finally:
        if before is None:
            del os.environ[_SKIPPED]
    return ray


def _look(address: str) -> None:
    """Raises where nothing listens there: Ray itself would try for minutes."""
    if not address or address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdigit():
        message = f"{sanitize_line(address, 60)!r} is no address of a Ray cluster"
        raise UsageError(message, hint="expected HOST:PORT of its head, and a machine that belongs to the cluster")
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        message = f"no Ray cluster answers at {sanitize_line(address, 60)}"
        raise SandboxUnavailable(message, hint="start one with `ray start --head`, or correct --address") from error


def alive(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The nodes that Ray can use."""
    return [node for node in nodes if node["Alive"]]


def carried(node: dict[str, Any], needs: Needs) -> int:
    """How many such jobs fit into an empty node."""
    has = node["Resources"]
    wanted = {"CPU": needs.cpus, "memory": needs.memory_bytes, "GPU": needs.gpus}
    return min(int(has.get(name, 0) // amount) for name, amount in wanted.items() if amount)


def _shown(needs: Needs) -> str:
    parts = [f"{needs.cpus} CPUs", f"{needs.memory_bytes / 1024**3:.1f} GiB of memory"]
    return ", ".join(parts + ([f"{needs.gpus} GPU"] if needs.gpus else []))


def make(
    work: Work[Any, Any],
    slots: Sequence[Slot],
    elsewhere: Elsewhere[Any] | None = None,
    _ahead: Ahead[Any] | None = None,
    _helper: Helper[Any] | None = None,
) -> Runner[Any, Any]:
    """See make_runner."""
    if elsewhere is None:
        raise UsageError("the runner ray needs to know what jobs need", hint="use it by `grader batch --runner ray`")
    return Cluster(work, slots, elsewhere)
