"""The fork server: the first process of a sandbox, between the judge and the candidate's processes.

It never runs candidate code. It forks a child for each session, hands requests over, wraps the
answers in frames of its own, captures and caps what is printed, and kills what a session leaves behind.
Its children cannot trace it, signal it to death, reach its descriptors or answer for one another.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.worker import prepare, sight
from grader.worker.child import Plan, become_session
from grader.worker.live import Live
from grader.worker.loading import preimport
from grader.worker.nursery import NotBorn, Nursery
from grader.worker.pipe import Pipe
from grader.worker.strays import sweep
from grader.worker.traces import Traces
from grader.worker.wire import DEFAULT_BODY_BYTES, VERSION, Frame, FrameType, ProtocolError, encode_frame

MAX_SESSIONS = 8


class Server:
    """One sandbox's server. `options`: root, threads, output_bytes, blob_bytes."""

    def __init__(self, receive: int, send: int, options: Mapping[str, Any]) -> None:
        self._root = Path(str(options["root"]))
        self._threads = int(options.get("threads", 1))
        self._output_bytes = int(options.get("output_bytes", 64 * 1024**2))
        self._max_body = int(options.get("blob_bytes", DEFAULT_BODY_BYTES))
        self._pipe = Pipe(receive, send, self._max_body)
        self._files: dict[str, bytes] = {}
        self._sessions: dict[int, Live] = {}
        self._traces = Traces(self._root)
        self._nursery: Nursery | None = None
        self._selector = selectors.DefaultSelector()
        self._sees = sight.look()  # before harden_server, after which parts of /proc/self are closed to us too

    def run(self) -> None:
        """Says hello, then serves until the judge closes its end."""
        prepare.harden_server()
        self._watch_children()
        hello = {"protocol": VERSION, "versions": sight.versions(), "sees": self._sees}
        self._pipe.write(encode_frame(FrameType.HELLO, 0, hello))
        self._selector.register(self._pipe.receive, selectors.EVENT_READ, "judge")
        try:
            while self._turn():
                pass
        finally:
            for session in list(self._sessions.values()):
                self._close(session)
            if self._nursery is not None:
                self._nursery.close()
                self._nursery = None
                self._sweep()

    def _watch_children(self) -> None:
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        self._wake = (reader, writer)
        self._selector.register(reader, selectors.EVENT_READ, "wake")

    def _turn(self) -> bool:
        for key, events in self._selector.select():
            if key.data == "judge":
                frame = self._pipe.read_frame()
                if frame is None or frame.head.get("verb") == "bye":
                    return False
                self._request(frame)
            elif key.data == "wake":
                with contextlib.suppress(BlockingIOError):
                    self._wake[0].recv(4096)
            elif key.data[1].id in self._sessions:
                self._attend(key.data[0], key.data[1], events)
        return True

    # --- the judge's side -------------------------------------------------------------------------

    def _request(self, frame: Frame) -> None:
        verb, number = frame.head.get("verb"), int(frame.head.get("session", 0))
        if verb == "submit":
            self._submit(frame)
        elif verb == "open" and number not in self._sessions and len(self._sessions) < MAX_SESSIONS:
            self._open(frame.request_id, number, str(frame.head.get("kind", "module")))
        elif verb == "settle" and number in self._sessions:
            self._settle(frame.request_id, self._sessions[number])
        elif verb == "close" and number in self._sessions:
            self._close(self._sessions[number])
            self._reply(frame.request_id, "ok")
        elif verb == "session" and number in self._sessions:
            self._hand_over(frame, self._sessions[number])
        else:
            self._reply(frame.request_id, "refused")

    def _submit(self, frame: Frame) -> None:
        """Keeps the submission in memory; each session writes its own copy."""
        position = frame.table["files"].start + 8 + int.from_bytes(frame.body[:8], "little")
        for path, size in frame.head["files"]:
            self._files[path] = frame.body[position : position + size]
            position += size
        preimport(self._files)
        self._reply(frame.request_id, "ok")

    def _hand_over(self, frame: Frame, session: Live) -> None:
        if session.ended:
            self._reply(frame.request_id, session.ended, session=session)
            return
        self._traces.note(self._sessions)
        session.pending = frame.request_id
        session.outgoing += encode_frame(FrameType.REQUEST, frame.request_id, frame.head["request"], frame.body)
        self._selector.modify(session.sock, selectors.EVENT_READ | selectors.EVENT_WRITE, ("sock", session))

    def _reply(
        self,
        request_id: int,
        status: str,
        *,
        session: Live | None = None,
        answer: Mapping[str, Any] | None = None,
        body: bytes = b"",
    ) -> None:
        head = {
            "status": status,
            "answer": answer,
            "output": session.output.take() if session else {"text": "", "bytes": 0},
            "exit": session.exit if session else None,
        }
        try:
            data = encode_frame(FrameType.REPLY, request_id, head, body)
        except ProtocolError:  # a head just under the cap grows over it when it is wrapped
            data = encode_frame(FrameType.REPLY, request_id, {**head, "status": "output_limit", "answer": None})
        self._pipe.write(data)

    # --- the sessions' side -----------------------------------------------------------------------

    def _open(self, request_id: int, number: int, kind: str) -> None:
        """A new session: of kind "module", "notebook" (it executes one) or "copy" (of an executed notebook)."""
        ours, theirs = socket.socketpair()
        capture, printed = os.pipe()
        root = self._root / f"s{number}"
        try:
            pid = self._copy(number, theirs, printed) if kind == "copy" else self._fork(kind, root, theirs, printed)
        except (OSError, NotBorn):
            for end in (ours, theirs):
                end.close()
            os.close(capture)
            os.close(printed)
            self._reply(request_id, "refused")
            return
        theirs.close()
        os.close(printed)
        ours.setblocking(False)
        os.set_blocking(capture, False)
        session = Live(number, pid, ours, capture, root, self._max_body, self._output_bytes)
        self._sessions[number] = session
        self._selector.register(ours, selectors.EVENT_READ, ("sock", session))
        self._selector.register(capture, selectors.EVENT_READ, ("capture", session))
        self._reply(request_id, "ok")

    def _fork(self, kind: str, root: Path, theirs: socket.socket, printed: int) -> int:
        nursery = socket.socketpair() if kind == "notebook" else None
        try:
            pid = os.fork()
        except OSError:
            for end in nursery or ():
                end.close()
            raise
        if pid == 0:
            inner = nursery[1] if nursery else None
            plan = Plan(root, self._threads, self._files, self._max_body, self._output_bytes, inner)
            if nursery:
                nursery[0].close()
            become_session(theirs, printed, plan, self._forget)
        if nursery:
            nursery[1].close()
            self._leave_nursery()
            self._nursery = Nursery(nursery[0], root)
        return pid

    def _copy(self, number: int, theirs: socket.socket, printed: int) -> int:
        if self._nursery is None or not self._nursery.pid:
            raise NotBorn
        return self._nursery.bear(number, (theirs.fileno(), printed), self._living())

    def _settle(self, request_id: int, session: Live) -> None:
        """From now on the nursery alone is the notebook: the session that executed it ends, its files stay."""
        try:
            if self._nursery is None:
                raise NotBorn  # noqa: TRY301 - one way to refuse
            self._nursery.settle(self._living())
        except NotBorn:
            self._reply(request_id, "refused")
            return
        self._close(session)
        self._reply(request_id, "ok")

    def _leave_nursery(self) -> None:
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def _living(self) -> set[int]:
        """The processes that no sweep may touch."""
        sessions = {session.pid for session in self._sessions.values() if session.exit is None}
        return sessions | ({self._nursery.pid} if self._nursery and self._nursery.pid else set())

    def _forget(self) -> None:
        """In a forked child: closes all that belongs to the server."""
        self._selector.close()
        for end in self._wake:
            end.close()
        for other in self._sessions.values():
            other.sock.close()
            os.close(other.capture)
        self._pipe.close()
        if self._nursery is not None:
            self._nursery.forget()

    def _attend(self, what: str, session: Live, events: int) -> None:
        """Moves bytes of one session, and ends it where it breaks a rule."""
        if session.ended:  # by an earlier event of the same turn
            return
        try:
            if what == "capture":
                self._captured(session)
                return
            if events & selectors.EVENT_WRITE:
                session.write()
                if not session.outgoing:
                    self._selector.modify(session.sock, selectors.EVENT_READ, ("sock", session))
            if events & selectors.EVENT_READ:
                self._answered(session)
        except ProtocolError:
            self._end(session, "protocol")
        except OSError:
            self._end(session, "died")

    def _captured(self, session: Live) -> None:
        count = session.read_output()
        if session.output_left < 0:
            self._end(session, "output_limit")
        elif count == 0:
            self._selector.unregister(session.capture)  # its writers closed it

    def _answered(self, session: Live) -> None:
        frame, closed = session.read()
        if frame is not None and session.pending is not None:
            session.read_output()
            self._traces.note({session.id})
            request_id, session.pending = session.pending, None
            self._reply(request_id, "ok", session=session, answer=frame.head, body=frame.body)
        elif closed:
            self._end(session, "died")

    def _end(self, session: Live, why: str) -> None:
        """Kills a session for a reason, which its pending or next request will be told."""
        if session.ended:
            return
        if why == "died":
            time.sleep(0.01)  # the socket closes a moment before the process can be waited for
            session.reap()
        session.read_output()
        session.kill()
        session.ended = why
        self._unregister(session)
        self._sweep()
        if session.pending is not None:
            request_id, session.pending = session.pending, None
            self._reply(request_id, why, session=session)

    def _close(self, session: Live) -> None:
        session.kill()
        self._unregister(session)
        del self._sessions[session.id]
        session.close(keep_files=self._nursery is not None and self._nursery.root == session.root)
        self._sweep()
        nursery = {self._nursery.root} if self._nursery else set()
        self._traces.clear(self._sessions, nursery | {other.root for other in self._sessions.values()})

    def _unregister(self, session: Live) -> None:
        for item in (session.sock, session.capture):
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(item)

    def _sweep(self) -> None:
        sweep(self._living())
