"""The judge's end of a sandbox: whatever the other end says, an outcome or an error of ours comes out, in time."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from grader.judge.link import OUTPUT_CAP
from grader.model import Outcome
from grader.sandbox.protocol import Usage
from grader.worker.wire import HEADER, Frame, FrameType, encode_frame
from tests.fakes import HELLO, Script, reply
from tests.judge.links import ASK, CANCEL, LIMITS, fault_of, link_to


def test_a_reply_comes_back() -> None:
    link, sandbox = link_to(lambda frame: [reply(frame, answer={"x": 1}, text="hi")])
    found = link.request(ASK, cpu_s=1)
    assert (found.status, found.answer, found.output, found.signal) == ("ok", {"x": 1}, "hi", None)
    assert sandbox.sent[0].head == ASK
    assert not link.dead


def test_request_ids_are_not_guessable() -> None:
    link, sandbox = link_to(lambda frame: [reply(frame)])
    for _ in range(20):
        link.request(ASK, cpu_s=1)
    numbers = [frame.request_id for frame in sandbox.sent]
    assert len(set(numbers)) == 20
    assert max(numbers) > 2**48


def test_a_reply_may_come_one_byte_at_a_time() -> None:
    link, _ = link_to(lambda frame: [bytes([byte]) for byte in reply(frame, text="slow")])
    link._limits = replace(LIMITS, wall_slack_s=5.0)
    assert link.request(ASK, cpu_s=1).output == "slow"


def test_a_printed_flood_is_cut() -> None:
    link, _ = link_to(lambda frame: [reply(frame, text="x" * 60_000)])
    assert len(link.request(ASK, cpu_s=1).output) == OUTPUT_CAP


# --- protocol violations: the candidate's, and the end of the sandbox -----------------------------------


def renumbered(frame: Frame, number: int) -> Frame:
    return replace(frame, request_id=number)


def raw_head(frame: Frame, head: bytes) -> bytes:
    return HEADER.pack(b"GRDR", 1, 3, 0, frame.request_id, len(head), 0) + head


VIOLATIONS: dict[str, Callable[[Frame], Iterable[object]]] = {
    "wrong id": lambda f: [reply(renumbered(f, f.request_id ^ 1))],
    "id of the future": lambda f: [reply(renumbered(f, 0)), reply(f)],
    "second reply in one chunk": lambda f: [reply(f) * 2],
    "bytes after the reply": lambda f: [reply(f) + b"x"],
    "no frame": lambda f: [b"HTTP/1.1 200 OK\r\nScore: 1.0\r\n\r\n"],
    "a length of 2**32 - 1": lambda f: [HEADER.pack(b"GRDR", 1, 3, 0, f.request_id, 2**32 - 1, 0)],
    "a body of 2**63": lambda f: [HEADER.pack(b"GRDR", 1, 3, 0, f.request_id, 2, 2**63) + b"{}"],
    "a body over the task's cap": lambda f: [HEADER.pack(b"GRDR", 1, 3, 0, f.request_id, 2, 4097) + b"{}"],
    "a length of zero": lambda f: [HEADER.pack(b"GRDR", 1, 3, 0, f.request_id, 0, 0)],
    "a second hello": lambda f: [HELLO],
    "a request back": lambda f: [encode_frame(FrameType.REQUEST, f.request_id, {"verb": "score"})],
    "an unknown key": lambda f: [reply(f, score=1.0)],
    "a key missing": lambda f: [encode_frame(FrameType.REPLY, f.request_id, {"status": "ok"})],
    "an unknown status": lambda f: [reply(f, "passed")],
    "a status that is a list": lambda f: [reply(f, output=None)],
    "an answer that is a list": lambda f: [encode_frame(FrameType.REPLY, f.request_id, _head(answer=[1]))],
    "output that is a number": lambda f: [encode_frame(FrameType.REPLY, f.request_id, _head(output=1))],
    "text that is a number": lambda f: [encode_frame(FrameType.REPLY, f.request_id, _head(output=_output(1)))],
    "an exit of another form": lambda f: [reply(f, exit={"code": 0})],
    "a depth bomb": lambda f: [raw_head(f, b"[" * 10_000)],
    "a duplicate key": lambda f: [raw_head(f, b'{"status":"died","status":"ok"}')],
    "NaN": lambda f: [raw_head(f, b'{"status":NaN}')],
    "a body that is no table": lambda f: [reply(f, body=b"\xff" * 100)],
}


def _output(text: object) -> dict[str, object]:
    return {"text": text, "bytes": 0}


def _head(**changes: object) -> dict[str, object]:
    return {"status": "ok", "answer": None, "output": _output(""), "exit": None} | changes


@pytest.mark.parametrize("say", VIOLATIONS.values(), ids=VIOLATIONS)
def test_a_violation_ends_the_sandbox_and_is_the_candidates(say: Script) -> None:
    link, sandbox = link_to(say)
    assert fault_of(link, cancel=CANCEL).outcome is Outcome.PROTOCOL
    assert link.dead
    assert sandbox.closed == 1
    assert len(sandbox.sent) == 1, "nobody resynchronises after a violation"


def test_a_status_of_another_type_is_a_violation() -> None:
    for status in (None, 1, ["ok"], {"ok": 1}):
        link, _ = link_to(lambda f, s=status: [encode_frame(FrameType.REPLY, f.request_id, _head(status=s))])  # type: ignore[misc]  # the default binds the loop variable
        assert fault_of(link).outcome is Outcome.PROTOCOL


def test_a_reply_that_nobody_asked_for_spoils_the_next_request() -> None:
    link, _ = link_to(lambda frame: [reply(frame), reply(frame)])
    assert link.request(ASK, cpu_s=1).status == "ok"
    assert fault_of(link).outcome is Outcome.PROTOCOL


def test_bytes_before_the_first_request_are_a_violation() -> None:
    link, _ = link_to(lambda frame: [reply(frame)], first=(HELLO, b"surplus"))
    assert fault_of(link).outcome is Outcome.PROTOCOL


def test_a_huge_length_allocates_nothing() -> None:
    link, _ = link_to(VIOLATIONS["a body of 2**63"])
    tracemalloc.start()
    try:
        fault_of(link)
        assert tracemalloc.get_traced_memory()[1] < 1024**2
    finally:
        tracemalloc.stop()


# --- deadlines ------------------------------------------------------------------------------------------


def test_silence_is_a_timeout() -> None:
    link, sandbox = link_to(lambda frame: [])
    assert fault_of(link).outcome is Outcome.TIMEOUT
    assert sandbox.closed == 1


def test_a_partial_frame_and_then_silence_is_a_timeout() -> None:
    for size in (1, HEADER.size - 1, HEADER.size, HEADER.size + 5):
        link, _ = link_to(lambda frame, n=size: [reply(frame)[:n]])  # type: ignore[misc]  # binds the loop variable
        assert fault_of(link).outcome is Outcome.TIMEOUT


def test_bytes_that_keep_coming_do_not_extend_the_deadline() -> None:
    def drip(_: Frame) -> Iterable[object]:
        frame = HEADER.pack(b"GRDR", 1, 3, 0, 1, 1024**2, 0)
        return [bytes([byte]) for byte in frame + b" " * 200_000]

    link, _ = link_to(drip)
    assert fault_of(link).outcome is Outcome.TIMEOUT


def test_cpu_time_beyond_the_limit_is_a_timeout_before_the_wall_limit() -> None:
    link, _ = link_to(lambda frame: [], each_look=lambda use: replace(use, cpu_s=use.cpu_s + 0.4))
    link._limits = replace(LIMITS, wall_slack_s=20.0)
    fault = fault_of(link, cpu_s=1.0)
    assert fault.outcome is Outcome.TIMEOUT
    assert "CPU" in fault.message


def test_cpu_time_of_earlier_calls_does_not_count() -> None:
    link, _ = link_to(lambda frame: [b"", b"", reply(frame)], now=Usage(cpu_s=500.0))
    assert link.request(ASK, cpu_s=1.0).status == "ok"


def test_a_hello_is_left_to_attestation_where_the_limits_are_not_in_force() -> None:
    """Without a control group of its own a sandbox seems to use what the whole host uses."""
    link_to(lambda frame: [], first=(b"", b"", HELLO), now=Usage(current_bytes=2**40))


def test_memory_over_the_limit_is_a_memory_outcome() -> None:
    link, _ = link_to(lambda frame: [], now=Usage(current_bytes=LIMITS.memory_bytes + 1))
    assert fault_of(link).outcome is Outcome.MEMORY
