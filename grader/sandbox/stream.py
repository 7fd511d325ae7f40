"""Bytes through a socket that does not block, with a deadline: what both backends do."""

from __future__ import annotations

import select
import time
from typing import Any, Final

from grader.sandbox.protocol import SandboxClosed

CHUNK: Final = 1024**2


def send(stream: Any, data: bytes, deadline: float) -> None:
    """Sends all of `data` before `deadline`, a moment of `time.monotonic`. Raises SandboxClosed."""
    view = memoryview(data)
    while view:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([], [stream], [], left)[1]:
            raise SandboxClosed("the worker does not take our bytes")
        try:
            view = view[stream.send(view[:CHUNK]) :]
        except BlockingIOError:
            continue
        except OSError as error:
            raise SandboxClosed(str(error)) from error


def receive(stream: Any, timeout_s: float, ended: str) -> bytes:
    """What is there within the time, b"" where nothing came. Raises SandboxClosed, at the end saying `ended`."""
    if not select.select([stream], [], [], max(timeout_s, 0))[0]:
        return b""
    try:
        data: bytes = stream.recv(CHUNK)
    except BlockingIOError:
        return b""
    except OSError as error:
        raise SandboxClosed(str(error)) from error
    if not data:
        raise SandboxClosed(ended)
    return data
