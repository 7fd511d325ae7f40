"""The engine's attach socket of one container: bytes go to the worker, its frames and its log come back.

The engine puts a header of eight bytes before each piece of standard output or standard error.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any, Final

from grader.sandbox import stream
from grader.sandbox.protocol import SandboxClosed

LOG_BYTES: Final = 16 * 1024
HEADER: Final = struct.Struct(">BxxxI")
STDOUT: Final = 1


class Attached:
    """One connection, made before the container starts."""

    def __init__(self, client: Any, container: str) -> None:
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._response: Any = client.api.attach_socket(container, params=params)
        self._stream: Any = getattr(self._response, "_sock", self._response)
        self._stream.setblocking(False)
        self._buffer = bytearray()
        self._log = bytearray()

    def send(self, data: bytes, deadline: float) -> None:
        """See Sandbox."""
        if self._stream is None:
            raise SandboxClosed("the worker does not take our bytes")
        stream.send(self._stream, data, deadline)

    def receive(self, timeout_s: float) -> bytes:
        """See Sandbox. Takes the engine's headers off and keeps the worker's log apart."""
        if self._stream is None:
            raise SandboxClosed("closed")
        until = time.monotonic() + timeout_s
        while True:  # a header may come by itself, which is nothing yet
            left = until - time.monotonic()
            data = stream.receive(self._stream, left, "the container's stream ended")
            self._buffer += data
            frames = self._demultiplex()
            if frames or not data or left <= 0:
                return frames

    def _demultiplex(self) -> bytes:
        frames = bytearray()
        while len(self._buffer) >= HEADER.size:
            kind, size = HEADER.unpack_from(self._buffer)
            if len(self._buffer) < HEADER.size + size:
                break
            payload = self._buffer[HEADER.size : HEADER.size + size]
            del self._buffer[: HEADER.size + size]
            if kind == STDOUT:
                frames += payload
            else:
                self._log += payload
                del self._log[:-LOG_BYTES]
        return bytes(frames)

    def log(self) -> str:
        """The end of what the worker logged."""
        return self._log.decode("utf-8", "replace")

    def close(self) -> None:
        """Ends the connection at once: closing the socket alone leaves it open while the SDK's response lives."""
        if self._stream is None:
            return
        with contextlib.suppress(OSError):
            self._stream.shutdown(socket.SHUT_RDWR)
        for end in (self._stream, self._response):
            with contextlib.suppress(OSError):
                end.close()
        self._stream = None
