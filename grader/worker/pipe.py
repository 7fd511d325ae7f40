"""The fork server's two descriptors to the judge, as frames. No child keeps them."""

from __future__ import annotations

import os

from grader.worker.wire import HEADER, Frame, decode_frame, decode_header


class Pipe:
    """Blocking reads and writes of whole frames."""

    def __init__(self, receive: int, send: int, max_body: int) -> None:
        self.receive, self._send, self._max_body = receive, send, max_body

    def read_frame(self) -> Frame | None:
        """The next frame; None once the judge has closed its end. Raises ProtocolError."""
        raw = self._read(HEADER.size)
        if len(raw) < HEADER.size:
            return None
        header = decode_header(raw, max_body=self._max_body)
        return decode_frame(header, self._read(header.json_bytes), self._read(header.body_bytes))

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = os.read(self.receive, min(size - len(data), 1024**2))
            if not chunk:
                return b""
            data += chunk
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Writes all of `data`."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._send, view) :]

    def close(self) -> None:
        """Closes both, in a forked child."""
        os.close(self.receive)
        os.close(self._send)
