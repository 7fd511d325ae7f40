"""What a sandbox backend promises: a byte stream to one worker, what it used, and why it ended.

Both backends pass the same contract tests (tests/sandbox/test_contract.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from grader.model import Json, Limits, SandboxFacts


class SandboxClosed(Exception):
    """The worker's end of the stream is closed, or it did not take our bytes in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxRequest:
    """What to start. `slot` gives each concurrent sandbox a user id of its own."""

    run_id: str
    limits: Limits
    image: str = ""
    """Tag of the image; "" for the one that fits this version."""
    gpus: tuple[str, ...] = ()
    """UUIDs of the devices to pass through."""
    cdi: bool = False
    """By the names of the Container Device Interface instead of NVIDIA's hook; the container backend decides."""
    runtime: str = ""
    """OCI runtime, e.g. "runsc"; "" for the engine's default."""
    slot: int = 0
    cores: tuple[int, ...] = ()
    """Cores that it may run on; () for all."""
    deadline_s: float = 900.0
    """How long the sandbox may live; a leftover older than this may be reaped by anybody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What the whole sandbox used so far, its children included."""

    cpu_s: float = 0.0
    peak_bytes: int = 0
    current_bytes: int = 0
    oom_kills: int = 0
    """Processes that the kernel ended because the sandbox reached its own limit."""
    host_kills: int = 0
    """Processes that it ended although the sandbox never did: the host's memory was at its end, which is ours."""
    processes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a sandbox's stream ended, by the engine's own evidence."""

    reason: str
    """"memory", "exited" (the candidate's) or "down" (ours: the engine or somebody from outside)."""
    detail: str = ""


class Sandbox(Protocol):
    """A started sandbox. Not thread-safe; the caller closes it, also after an error."""

    def send(self, data: bytes, deadline: float) -> None:
        """Writes all of `data`. Raises SandboxClosed; `deadline` is on the monotonic clock."""

    def receive(self, timeout_s: float) -> bytes:
        """The next bytes of the worker, b"" after `timeout_s` without any. Raises SandboxClosed at the end."""

    def log(self) -> str:
        """The tail of what the worker itself logged (not the candidate's prints)."""

    def usage(self) -> Usage:
        """CPU time, memory and processes, read on the trusted side."""

    def ending(self) -> Ending:
        """Why the stream ended; call it after SandboxClosed."""

    def outside(self) -> Json:
        """What the engine and the host say about the isolation, for the report."""

    def facts(self, hello: Json) -> SandboxFacts:
        """The facts for the report. Raises AttestationFailed where isolation is not what was asked for."""

    def close(self) -> None:
        """Ends everything that runs in it and removes it; never raises, never hangs."""


class Backend(Protocol):
    """A way to start sandboxes."""

    name: str
    isolated: bool

    def start(self, request: SandboxRequest) -> Sandbox:
        """A running sandbox. Raises SandboxUnavailable."""

    def reap(self, run_id: str = "") -> int:
        """Removes leftovers of runs that are gone, and all that is left of `run_id`; the number removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One line of an attestation: what was asked for and what was seen."""

    name: str
    asked: str
    seen: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """All comparisons; green where every one holds."""

    comparisons: tuple[Comparison, ...] = field(default=())

    @property
    def green(self) -> bool:
        """True where everything is as asked."""
        return all(item.ok for item in self.comparisons)

    def to_json(self) -> Json:
        """For the report."""
        rows = [{"name": c.name, "asked": c.asked, "seen": c.seen, "ok": c.ok} for c in self.comparisons]
        return {"green": self.green, "comparisons": rows}
