"""A session's answers as the fork server takes them: one reply, to the request that was asked, and nothing else."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grader.worker.live import Live
from grader.worker.traces import Traces
from grader.worker.wire import FrameType, ProtocolError, encode_frame

REPLY = encode_frame(FrameType.REPLY, 7, {"status": "ok"})


@pytest.fixture
def session(tmp_path: Path) -> Iterator[tuple[Live, socket.socket]]:
    """A session without a process, and the socket on which its code would write."""
    ours, theirs = socket.socketpair()
    capture, printed = os.pipe()
    ours.setblocking(False)
    os.set_blocking(capture, False)
    live = Live(1, 2**22, ours, capture, tmp_path / "s1", 1024, 1024)
    with closing(theirs):
        yield live, theirs
    os.close(printed)
    live.close()


def test_the_reply_to_the_request_is_taken(session: tuple[Live, socket.socket]) -> None:
    live, theirs = session
    live.pending = 7
    theirs.sendall(REPLY[:20])
    assert live.read() == (None, False)
    theirs.sendall(REPLY[20:])
    frame, closed = live.read()
    assert frame
    assert (frame.head, closed) == ({"status": "ok"}, False)


@pytest.mark.parametrize(
    ("asked", "said"),
    [(8, REPLY), (7, REPLY + REPLY), (7, REPLY + b"x"), (None, REPLY), (None, b"x"), (7, b"x" * 28)],
    ids=["another id", "twice", "more bytes", "unasked", "one byte unasked", "no frame"],
)
def test_bytes_that_are_no_reply_to_the_request_end_a_session(
    session: tuple[Live, socket.socket], asked: int | None, said: bytes
) -> None:
    live, theirs = session
    live.pending = asked
    theirs.sendall(said)
    with pytest.raises(ProtocolError):
        live.read()


def test_a_trace_goes_with_the_last_session_that_may_have_left_it(tmp_path: Path) -> None:
    (tmp_path / "ours").touch()
    traces = Traces(tmp_path)
    (tmp_path / "of 1").mkdir()
    traces.note({1})
    (tmp_path / "of 1 or 2").symlink_to("/etc")
    traces.clear({1, 2}, set())
    (tmp_path / "s2").mkdir()
    traces.clear({2}, {tmp_path / "s2"})
    assert {path.name for path in tmp_path.iterdir()} == {"ours", "of 1 or 2", "s2"}
    traces.clear(set(), set())
    assert [path.name for path in tmp_path.iterdir()] == ["ours"]
    assert Path("/etc/hosts").exists()
