"""One forked session as the fork server sees it: its process, its socket, and what it printed."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.worker.wire import HEADER, Frame, Header, ProtocolError, decode_frame, decode_header

HEAD_BYTES = 4096
TAIL_BYTES = 8192
CHUNK = 1024**2
REAP_S = 5.0


@dataclass
class Output:
    """What a session printed since the last reply: the first and last kilobytes, and how much in all."""

    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def add(self, data: bytes) -> None:
        """Takes what was read from the capture pipe."""
        self.total += len(data)
        room = HEAD_BYTES - len(self.head)
        self.head += data[:room]
        self.tail += data[max(room, 0) :]
        del self.tail[:-TAIL_BYTES]

    def take(self) -> dict[str, Any]:
        """The text for a reply; starts afresh."""
        cut = self.total - len(self.head) - len(self.tail)
        middle = f"\n[... {cut} bytes left out ...]\n" if cut > 0 else ""
        text = self.head.decode("utf-8", "replace") + middle + self.tail.decode("utf-8", "replace")
        result = {"text": text, "bytes": self.total}
        self.head, self.tail, self.total = bytearray(), bytearray(), 0
        return result


@dataclass
class Live:
    """A session's process. `pending` is the request id that it owes an answer to."""

    id: int
    pid: int
    sock: socket.socket
    capture: int
    root: Path
    max_body: int
    output_left: int
    """Bytes that it may still print before that counts as a flood."""
    pending: int | None = None
    outgoing: bytearray = field(default_factory=bytearray)
    incoming: bytearray = field(default_factory=bytearray)
    output: Output = field(default_factory=Output)
    ended: str = ""
    """"" while it lives; then why it ended: died, protocol, output_limit."""
    exit: dict[str, int | None] | None = None

    def read_output(self) -> int:
        """Reads what the capture pipe holds now, at most a few chunks; returns the number of bytes."""
        count = 0
        with contextlib.suppress(BlockingIOError, OSError):
            while count < 4 * CHUNK and (data := os.read(self.capture, CHUNK)):
                self.output.add(data)
                count += len(data)
        self.output_left -= count
        return count

    def write(self) -> None:
        """Sends as much of the waiting request as the socket takes."""
        with contextlib.suppress(BlockingIOError):
            del self.outgoing[: self.sock.send(self.outgoing[:CHUNK])]

    def read(self) -> tuple[Frame | None, bool]:
        """Reads from the socket: a complete reply or None, and whether the other end is closed.

        Raises ProtocolError for bytes that nobody asked for or that are no reply.
        """
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return None, False
        except OSError:
            return None, True
        if not data:
            return None, True
        if self.pending is None:
            raise ProtocolError("bytes without a request")
        self.incoming += data
        return self._complete(), False

    def _complete(self) -> Frame | None:
        if len(self.incoming) < HEADER.size:
            return None
        header: Header = decode_header(bytes(self.incoming[: HEADER.size]), max_body=self.max_body)
        if header.request_id != self.pending:
            raise ProtocolError("reply to another request")
        end = HEADER.size + header.json_bytes + header.body_bytes
        if len(self.incoming) < end:
            return None
        if len(self.incoming) > end:
            raise ProtocolError("bytes after the reply")
        middle = HEADER.size + header.json_bytes
        frame = decode_frame(header, bytes(self.incoming[HEADER.size : middle]), bytes(self.incoming[middle:]))
        self.incoming.clear()
        return frame

    def kill(self) -> None:
        """Kills the process and its group, and waits for its end."""
        for send in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                send(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + REAP_S
        while self.exit is None and time.monotonic() < deadline:
            self.reap()
            time.sleep(0.001)

    def reap(self) -> None:
        """Notes the exit status if the process has ended."""
        if self.exit is not None:
            return
        with contextlib.suppress(ChildProcessError):
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == 0:
                return
            self.set_exit(status)
            return
        self.exit = {"code": None, "signal": None}

    def set_exit(self, status: int) -> None:
        """Takes a wait status."""
        code = os.waitstatus_to_exitcode(status)
        self.exit = {"code": code if code >= 0 else None, "signal": -code if code < 0 else None}

    def close(self, *, keep_files: bool = False) -> None:
        """Releases descriptors and files. The process must have been killed."""
        self.sock.close()
        os.close(self.capture)
        if keep_files:
            return
        with contextlib.suppress(Exception):  # a hostile tree (too deep, unreadable) dies with the container
            shutil.rmtree(self.root, ignore_errors=True)
