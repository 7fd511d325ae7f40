"""How a conversation with a sandbox ends: given up, closed, killed for memory, down; and our own mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from grader.judge.faults import SandboxDown
from grader.judge.link import Link
from grader.model import Outcome
from grader.sandbox.protocol import Ending, Usage
from grader.worker.wire import VERSION, Frame, FrameType, encode_frame
from tests.fakes import CLOSED, HELLO, Script, ScriptedSandbox, reply
from tests.judge.links import ASK, CANCEL, LIMITS, fault_of, link_to

# --- giving up on a session, not on the sandbox -----------------------------------------------------------


def test_a_hung_session_is_closed_and_the_sandbox_lives_on() -> None:
    link, sandbox = link_to(lambda frame: [reply(frame)] if frame.head["verb"] == "close" else [])
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.TIMEOUT
    assert sandbox.sent[-1].head == CANCEL
    assert not link.dead
    assert link.request({"verb": "close", "session": 2}, cpu_s=1).status == "ok"


def test_a_server_that_does_not_close_a_session_is_ended() -> None:
    link, sandbox = link_to(lambda frame: [])
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.TIMEOUT
    assert link.dead
    assert sandbox.closed == 1


@pytest.mark.parametrize("cancel", [CANCEL, None])
def test_silence_is_ours_where_the_engine_is_silent_too(cancel: dict[str, Any] | None) -> None:
    link, sandbox = link_to(lambda frame: [])
    sandbox.end = Ending(reason="down", detail="the engine answers too slowly")
    with pytest.raises(SandboxDown, match="slowly"):
        link.request(ASK, cpu_s=0.1, cancel=cancel)
    assert link.dead
    assert sandbox.closed == 1


def late(times: int) -> Script:
    """Silence for the call; then its reply, `times` over, before the reply to the cancellation."""
    asked: list[Frame] = []

    def say(frame: Frame) -> Iterable[object]:
        if frame.head["verb"] != "close":
            asked.append(frame)
            return []
        return [*([reply(asked[-1])] * times), reply(frame)]

    return say


def test_a_cancelled_request_may_still_be_answered_once() -> None:
    link, _ = link_to(late(1))
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.TIMEOUT
    assert not link.dead


def test_a_cancelled_request_answered_in_the_same_chunk_is_tolerated_too() -> None:
    script = late(1)
    link, _ = link_to(lambda frame: [b"".join(chunk for chunk in script(frame) if isinstance(chunk, bytes))])
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.TIMEOUT
    assert not link.dead


def test_a_cancelled_request_answered_twice_ends_the_sandbox() -> None:
    link, sandbox = link_to(late(2))
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.TIMEOUT, "the first fault is the one to report"
    assert link.dead
    assert sandbox.closed == 1


def test_a_cancelled_request_answered_much_later_is_a_violation() -> None:
    asked: list[Frame] = []

    def say(frame: Frame) -> Iterable[object]:
        asked.append(frame)
        return [] if len(asked) == 1 else [reply(frame)] if len(asked) == 2 else [reply(asked[0]), reply(frame)]

    link, _ = link_to(say)
    fault_of(link, cancel=CANCEL)
    assert fault_of(link).outcome is Outcome.PROTOCOL


# --- why a stream ended ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "outcome"), [("memory", Outcome.MEMORY), ("exited", Outcome.CRASHED)])
def test_the_end_of_the_stream_is_the_candidates(reason: str, outcome: Outcome) -> None:
    link, sandbox = link_to(lambda frame: [CLOSED], end=Ending(reason=reason, detail="why"))
    assert fault_of(link, cancel=CANCEL).outcome is outcome
    assert link.dead
    assert sandbox.closed == 1


def test_an_engine_that_failed_is_ours() -> None:
    link, sandbox = link_to(lambda frame: [reply(frame)[:30], CLOSED], end=Ending(reason="down", detail="engine"))
    with pytest.raises(SandboxDown, match="engine"):
        link.request(ASK, cpu_s=1, cancel=CANCEL)
    assert sandbox.closed == 1


def test_a_stream_that_takes_no_bytes_is_asked_why_too() -> None:
    link, _ = link_to(lambda frame: [], first=(HELLO, CLOSED), end=Ending(reason="memory"))
    assert fault_of(link).outcome is Outcome.MEMORY


def test_use_is_read_before_the_sandbox_goes() -> None:
    link, _ = link_to(lambda frame: [CLOSED], now=Usage(cpu_s=3.5, peak_bytes=77))
    fault_of(link)
    assert link.usage() == (3.5, 77)


def test_a_session_that_the_kernel_killed_for_memory_is_a_memory_outcome() -> None:
    def say(frame: Frame) -> Iterable[object]:
        if frame.head["verb"] == "close":
            return [reply(frame)]
        sandbox.now = replace(sandbox.now, oom_kills=sandbox.now.oom_kills + kills.pop())
        return [reply(frame, "died", exit={"code": None, "signal": 9})]

    kills = [0, 1]
    link, sandbox = link_to(say)
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.MEMORY
    assert sandbox.sent[-1].head == CANCEL, "what it left behind must go"
    assert link.request(ASK, cpu_s=1, cancel=CANCEL).status == "died", "the earlier kill is no excuse for this death"
    assert not link.dead


def test_a_session_that_the_kernel_killed_for_the_hosts_memory_is_ours() -> None:
    def say(frame: Frame) -> Iterable[object]:
        sandbox.now = replace(sandbox.now, host_kills=1)
        return [reply(frame, "died", exit={"code": None, "signal": 9})]

    link, sandbox = link_to(say)
    with pytest.raises(SandboxDown, match="memory ended on the host"):
        link.request(ASK, cpu_s=1, cancel=CANCEL)
    assert sandbox.closed == 1


# --- before the candidate's bytes, and our own mistakes -----------------------------------------------------

BAD_HELLOS: dict[str, tuple[object, ...]] = {
    "closed": (CLOSED,),
    "no frame": (b"x" * 100,),
    "a reply": (encode_frame(FrameType.REPLY, 0, {"protocol": VERSION, "versions": {}, "sees": {}}),),
    "another version": (encode_frame(FrameType.HELLO, 0, {"protocol": VERSION + 1, "versions": {}, "sees": {}}),),
    "a key missing": (encode_frame(FrameType.HELLO, 0, {"protocol": VERSION}),),
}


@pytest.mark.parametrize("first", BAD_HELLOS.values(), ids=BAD_HELLOS)
def test_a_worker_that_does_not_come_up_is_ours(first: tuple[object, ...]) -> None:
    sandbox = ScriptedSandbox(lambda frame: [], first=first)
    with pytest.raises(SandboxDown, match="fake log"):
        Link(sandbox, LIMITS).hello()
    assert sandbox.closed == 1
    assert sandbox.sent == []


MISTAKES: dict[str, tuple[dict[str, Any], bytes]] = {
    "a body over the cap": ({}, safetensors.numpy.save({"a": np.zeros(5000, np.uint8)})),
    "a dtype that may not cross": ({}, safetensors.numpy.save({"a": np.zeros(2, np.uint16)})),
    "nine dimensions": ({}, safetensors.numpy.save({"a": np.zeros((1,) * 9)})),
    "too many nodes": ({"value": [0] * 70_000}, b""),
    "too long": ({"value": ["x" * 60_000] * 20}, b""),
    "no JSON": ({"value": object()}, b""),
}


@pytest.mark.parametrize(("more", "body"), MISTAKES.values(), ids=MISTAKES)
def test_what_a_suite_may_not_send_is_its_own_mistake(more: dict[str, Any], body: bytes) -> None:
    link, sandbox = link_to(lambda frame: [reply(frame)])
    with pytest.raises(ValueError, match="cannot be sent"):
        link.request(ASK | more, body, cpu_s=1)
    assert sandbox.sent == []
    assert not link.dead
