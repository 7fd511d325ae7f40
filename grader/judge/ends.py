"""What a session says of its own end, as far as it is believed."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, Final

from grader.judge.faults import CandidateFault
from grader.judge.link import Reply
from grader.model import Outcome
from grader.worker.wire import ProtocolError, check_keys

GPU_MEMORY: Final = "torch.OutOfMemoryError"
"""As `grader.worker.session` calls it; that module imports torch, which no judge does."""
ERROR_KEYS: Final = ("class", "message", "location", "traceback")


def fault_of(answer: Mapping[str, Any], own_line: Callable[[str], str], *, gpu: bool = False) -> CandidateFault:
    """What a session says went wrong. Its class and place reach candidates, so only what we know anyway is believed.

    With `gpu` there is a device whose memory can be used up. Either way the check earns nothing: a lie gains nothing.
    """
    error = check_keys(answer["error"], required=ERROR_KEYS)
    if not all(isinstance(error[key], str) for key in ERROR_KEYS):
        raise ProtocolError("an error of another form")
    if gpu and answer["status"] == "raised" and error["class"] == GPU_MEMORY:
        return CandidateFault(
            Outcome.MEMORY,
            f"the GPU's memory was used up: {error['message']}",
            location=own_line(error["location"]),
            exception="RuntimeError",
            traceback=error["traceback"],
            memory="gpu",
        )
    name, message = _builtin_exception(error["class"]), error["message"]
    if error["class"] == GPU_MEMORY:
        name = "RuntimeError"  # its built-in ancestor, for code that raises it without a device
    outcome = Outcome(answer["status"]) if answer["status"] != "raised" or name != "MemoryError" else Outcome.MEMORY
    return CandidateFault(
        outcome,
        f"{name}: {message}" if name else message,
        location=own_line(error["location"]),
        exception=name,
        traceback=error["traceback"],
    )


def _builtin_exception(name: str) -> str:
    """`name` if it is one of Python's own exceptions: anything else could carry what the code has seen."""
    kind = getattr(builtins, name, None) if name.isidentifier() else None
    return name if isinstance(kind, type) and issubclass(kind, BaseException) else ""


def death_line(reply: Reply) -> str:
    """Why a process ended without an answer."""
    if reply.signal:
        return f"the code ended its process by signal {reply.signal}"
    return "the code ended its process"
