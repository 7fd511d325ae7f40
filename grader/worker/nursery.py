"""The process that keeps an executed notebook's state, and forks a fresh copy of it for each check.

It is forked from the notebook's kernel after the last cell: one thread, no message queues, the namespace as the cells
left it. A double fork makes it, and each copy, an orphan that the fork server adopts: so the server can kill it and
wait for it like a child of its own, and believes no process id that is not its child. All that the notebook left
running, its kernel included, is killed as soon as the nursery is settled. It is the candidate's process: it can
refuse or spoil its own copies, and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NoReturn

from grader.worker.strays import is_child

ANSWER_S = 10.0
ADOPTION_S = 5.0
MESSAGE_BYTES = 256


class NotBorn(Exception):
    """The nursery did not give a process: it is gone, silent, or named one that is not the server's child."""


class Nursery:
    """The server's end of one nursery."""

    def __init__(self, sock: socket.socket, root: Path) -> None:
        self._sock, self.root = sock, root
        self.pid = 0

    def settle(self, taken: Collection[int]) -> None:
        """Learns which process the nursery is. Raises NotBorn."""
        self.pid = self._birth(taken)

    def bear(self, number: int, ends: tuple[int, int], taken: Collection[int]) -> int:
        """The process id of a new copy that serves on `ends` (its socket, its pipe for prints). Raises NotBorn."""
        try:
            self._sock.settimeout(ANSWER_S)
            socket.send_fds(self._sock, [json.dumps(number).encode().ljust(MESSAGE_BYTES)], list(ends))
        except OSError as error:
            raise NotBorn from error
        return self._birth({*taken, self.pid})

    def _birth(self, taken: Collection[int]) -> int:
        data, deadline = b"", time.monotonic() + ANSWER_S
        while len(data) < MESSAGE_BYTES:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._sock], [], [], left)[0]:
                raise NotBorn
            try:
                chunk = self._sock.recv(MESSAGE_BYTES - len(data))
            except OSError as error:
                raise NotBorn from error
            if not chunk:
                raise NotBorn
            data += chunk
        digits = data.strip()
        pid = int(digits) if digits.isdigit() and len(digits) < 10 else 0
        if pid in taken or not is_child(pid):
            raise NotBorn
        return pid

    def forget(self) -> None:
        """In a forked child: closes the server's end."""
        self._sock.close()

    def close(self) -> None:
        """Ends it."""
        self._sock.close()
        if self.pid:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, signal.SIGKILL)


def orphan(become: Callable[[], NoReturn]) -> None:
    """Runs `become` in a process that has lost its parent; returns in the caller."""
    middle = os.fork()
    if middle:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(middle, 0)
        return
    try:
        middle = os.getpid()
        if os.fork():
            os._exit(0)
        deadline = time.monotonic() + ADOPTION_S
        while os.getppid() == middle and time.monotonic() < deadline:
            time.sleep(0.0005)
        become()
    finally:
        os._exit(1)


def announce(sock: socket.socket) -> None:
    """Tells the server which process this is."""
    sock.sendall(str(os.getpid()).encode().ljust(MESSAGE_BYTES))


def tend(sock: socket.socket, bear: Callable[[int, socket.socket, int], NoReturn]) -> NoReturn:
    """The nursery's life: a copy for each message, until the server closes its end."""
    try:
        announce(sock)
        while True:
            data, descriptors, _, _ = socket.recv_fds(sock, MESSAGE_BYTES, 2)
            if not data or len(descriptors) != 2:
                break
            number = int(data)

            def become(number: int = number, ends: Any = tuple(descriptors)) -> NoReturn:
                announce(sock)
                sock.close()
                bear(number, socket.socket(fileno=ends[0]), ends[1])

            orphan(become)
            for descriptor in descriptors:
                os.close(descriptor)
    finally:
        os._exit(0)
