"""What a session says of its own end, as far as it is believed."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any, Final

from grader.judge.faults import CandidateFault
from grader.judge.link import Reply
from grader.model import Outcome
from grader.worker.wire import ProtocolError, check_keys

ERROR_KEYS: Final = ("class", "message", "location", "traceback")


def fault_of(answer: Mapping[str, Any], own_line: Callable[[str], str]) -> CandidateFault:
    """What a session says went wrong. Its class and place reach candidates, so only what we know anyway is believed."""
    error = check_keys(answer["error"], required=ERROR_KEYS)
    if not all(isinstance(error[key], str) for key in ERROR_KEYS):
        raise ProtocolError("an error of another form")
    name, message = _builtin_exception(error["class"]), error["message"]
    outcome = Outcome(answer["status"]) if answer["status"] != "raised" or name != "MemoryError" else Outcome.MEMORY
    return CandidateFault(
        outcome,
        ": ".join(part for part in (name, message) if part),
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
