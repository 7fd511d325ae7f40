"""The engine's stream is taken apart wherever the network cuts it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from grader.sandbox.attached import HEADER, LOG_BYTES, Attached
from grader.sandbox.protocol import SandboxClosed

Ends = tuple[Attached, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Our end of a container's stream, and the engine's."""
    ours, engine = socket.socketpair()
    client = SimpleNamespace(api=SimpleNamespace(attach_socket=lambda _name, params: ours if params else None))
    attached = Attached(client, "c")
    with engine:
        yield attached, engine
    attached.close()


def piece(kind: int, data: bytes) -> bytes:
    return HEADER.pack(kind, len(data)) + data


def test_frames_and_log_are_told_apart(ends: Ends) -> None:
    attached, engine = ends
    engine.sendall(piece(1, b"frame ") + piece(2, b"a log line\n") + piece(1, b"and more"))
    assert attached.receive(5) == b"frame and more"
    assert attached.log() == "a log line\n"


def test_a_header_by_itself_is_waited_out(ends: Ends) -> None:
    attached, engine = ends
    whole = piece(1, b"frame")
    engine.sendall(whole[: HEADER.size])
    started = time.monotonic()
    assert attached.receive(0.05) == b""
    assert time.monotonic() - started >= 0.05, "an answer of nothing means that nothing came in all that time"
    engine.sendall(whole[HEADER.size :])
    assert attached.receive(5) == b"frame"


def test_log_alone_is_no_answer(ends: Ends) -> None:
    attached, engine = ends
    engine.sendall(piece(2, b"x" * 2 * LOG_BYTES))
    assert attached.receive(0.2) == b""
    assert len(attached.log()) == LOG_BYTES


def test_an_end_is_said(ends: Ends) -> None:
    attached, engine = ends
    engine.close()
    with pytest.raises(SandboxClosed, match="ended"):
        attached.receive(5)
    attached.close()
    for use in (lambda: attached.receive(0), lambda: attached.send(b"x", time.monotonic() + 1)):
        with pytest.raises(SandboxClosed):
            use()


def test_bytes_that_nobody_takes_end_at_the_deadline(ends: Ends) -> None:
    attached, engine = ends
    attached.send(b"taken", time.monotonic() + 5)
    assert engine.recv(16) == b"taken"
    with pytest.raises(SandboxClosed, match="take"):
        attached.send(b"x" * 64 * 1024**2, time.monotonic() + 0.1)
