"""What a runner promises: it runs a job in a free slot and says what became of it, to one caller that asks.

Everything that a job says arrives at that one caller, in order, so that nobody else has to lock anything.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")
Job_contra = TypeVar("Job_contra", contravariant=True)
Answer_co = TypeVar("Answer_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place for one job at a time, with resources that no other slot has."""

    number: int
    """From 0; a sandbox's user id is made from it."""
    cores: tuple[int, ...] = ()
    """() where the cores are not shared out."""
    gpus: str = "none"
    """As the setting of that name; a device is leased from it for each job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a running job knows of its surroundings."""

    slot: Slot
    tell: Callable[[object], None]
    """Says something on the way; it reaches the caller of `Runner.next` as `Told`."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set where the job should stop soon."""
    shared: object = None
    """Of a runner on other machines: what `Elsewhere.shared` gave for the job."""


class Work(Protocol[Job_contra, Answer_co]):
    """The function that runs one job. It may raise; that reaches the caller as `Ended.error`."""

    def __call__(self, job: Job_contra, context: Context, /) -> Answer_co:
        """Runs the job."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told(Generic[Job]):
    """Something that a running job said."""

    job: Job
    slot: Slot
    what: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Generic[Job, Answer]):
    """A job has ended: with an answer, or with what it raised."""

    job: Job
    slot: Slot
    answer: Answer | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Helped(Generic[Job]):
    """A slot that took part in a job of another one is free again."""

    job: Job
    slot: Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a job takes up of a machine while it runs."""

    cpus: int = 1
    memory_bytes: int = 0
    gpus: int = 0
    gpus_if_any: bool = False
    """`gpus` counts only where some machine has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere(Generic[Job]):
    """What a runner on other machines has to know; one on this machine needs none of it."""

    address: str
    """Of the cluster; "" for the one that this machine belongs to."""
    largest: Needs
    """Of any job."""
    needs: Callable[[Job], Needs]
    shared: Callable[[Job], tuple[str, Callable[[], object]]]
    """What many jobs have in common, by a name: it is made and sent once, and lies in `Context.shared`."""


class Ahead(Protocol[Job_contra]):
    """Prepares, while a slot is busy, what its next job will need."""

    def prepare(self, job: Job_contra, slot: Slot) -> bool:
        """Begins to, in the background; False where there is nothing to prepare for such a job."""

    def holds(self, job: Job_contra, slot: Slot) -> bool:
        """True where this job is prepared for in this slot."""

    def is_full(self, slot: Slot) -> bool:
        """True where the slot's next job is prepared for."""


class Helper(Protocol[Job_contra]):
    """Lets a slot that has nothing to do take part in a job that runs in another one."""

    def claim(self, job: Job_contra) -> Callable[[Context], None] | None:
        """What the slot would do, in a thread of its own; None where it would have nothing to do. It must be called."""


class Runner(Protocol[Job, Answer]):
    """Runs jobs. One caller, one thread; every job that was started is heard of again by `Ended`."""

    @property
    def free(self) -> int:
        """How many jobs could start now."""

    def start(self, job: Job) -> Slot:
        """Starts a job where `free` is above 0; gives the slot where it runs. Its answer comes by `next`."""

    def choose(self, jobs: Sequence[Job]) -> int:
        """Which of the jobs to start first, by its place: the first one unless another is better prepared for."""

    def expect(self, jobs: Sequence[Job]) -> None:
        """These come next, most likely the first ones: what they need may be prepared."""

    def assist(self) -> Sequence[tuple[Slot, Job]]:
        """No job waits: has free slots take part in those that run; gives those that begin to, and in what.

        Each is heard of again by `Helped`.
        """

    def next(self, timeout_s: float) -> Told[Job] | Ended[Job, Answer] | Helped[Job] | None:
        """What came first among all that is running; None where nothing came in time."""

    def stop(self, timeout_s: float) -> bool:
        """Ends what runs and starts nothing more; True where all of it ended in time."""
