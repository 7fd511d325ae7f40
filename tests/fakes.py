"""Fakes of our own protocols: sandboxes that a test scripts, without a process, a container or a clock.

`ScriptedSandbox` says exactly the bytes that a test gives it. `ServedSandbox` plays the fork server: it speaks real
frames, and hands what a session is asked to a `Brain`. `FunctionBrain` is one that runs plain Python functions through
the real `worker.session.Session`, so what comes back was packed by the code that packs it in a sandbox.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from grader.model import Json, SandboxFacts
from grader.sandbox.protocol import Ending, SandboxClosed, SandboxRequest, Usage
from grader.worker.session import Session
from grader.worker.wire import HEADER, VERSION, Frame, FrameType, decode_frame, decode_header, encode_frame

CLOSED = object()
"""In a script: the worker's end of the stream closes here."""

HELLO = encode_frame(FrameType.HELLO, 0, {"protocol": VERSION, "versions": {"python": "3"}, "sees": {}})


def read_frame(data: bytes) -> Frame:
    """The one frame in `data`."""
    header = decode_header(data[: HEADER.size], max_body=2**31)
    middle = HEADER.size + header.json_bytes
    return decode_frame(header, data[HEADER.size : middle], data[middle:])


def reply(
    request: Frame, status: str = "ok", *, answer: Json | None = None, body: bytes = b"", text: str = "", **head: Any
) -> bytes:
    """The fork server's reply to `request`; `head` replaces fields of the head."""
    fields = {"status": status, "answer": answer, "output": {"text": text, "bytes": len(text)}, "exit": None}
    return encode_frame(FrameType.REPLY, request.request_id, fields | head, body)


Script = Callable[[Frame], Iterable[object]]
"""Told each request; gives the chunks (bytes, CLOSED) that the worker then says, one for each `receive`."""


@dataclass
class ScriptedSandbox:
    """A sandbox that says what its script says, and whose accounts the test sets."""

    script: Script
    first: Iterable[object] = (HELLO,)
    end: Ending = field(default_factory=lambda: Ending(reason="exited", detail="fake"))
    now: Usage = field(default_factory=Usage)
    each_look: Callable[[Usage], Usage] = lambda usage: usage
    """What the accounts say at the next look: use grows while the judge waits."""
    sent: list[Frame] = field(default_factory=list)
    closed: int = 0

    def __post_init__(self) -> None:
        self._chunks = deque(self.first)

    def send(self, data: bytes, deadline: float) -> None:
        """See Sandbox."""
        if self._chunks and self._chunks[0] is CLOSED:
            raise SandboxClosed("fake")
        self.sent.append(read_frame(data))
        self._chunks.extend(self.script(self.sent[-1]))

    def receive(self, timeout_s: float) -> bytes:
        """See Sandbox; an empty script is silence."""
        if not self._chunks:
            time.sleep(0.001)
            return b""
        if self._chunks[0] is CLOSED:
            raise SandboxClosed("fake")
        chunk = self._chunks.popleft()
        assert isinstance(chunk, bytes)
        return chunk

    def log(self) -> str:
        """See Sandbox."""
        return "fake log"

    def usage(self) -> Usage:
        """See Sandbox."""
        self.now = self.each_look(self.now)
        return self.now

    def ending(self) -> Ending:
        """See Sandbox."""
        return self.end

    def outside(self) -> Json:
        """See Sandbox."""
        return {}

    def facts(self, hello: Json) -> SandboxFacts:
        """See Sandbox."""
        return SandboxFacts(backend="fake", isolated=False, versions=hello["versions"])

    def close(self) -> None:
        """See Sandbox."""
        self.closed += 1


@dataclass(frozen=True)
class Said:
    """What became of one request to a session: the fork server's status, the session's answer, what it printed."""

    status: str = "ok"
    answer: Json | None = None
    body: bytes = b""
    text: str = ""
    exit: Json | None = None


class Brain(Protocol):
    """Answers what sessions are asked."""

    def answer(self, session: int, request: Frame) -> Said:
        """The answer to one request of the numbered session; `request` is the session's own part."""


class ServedSandbox(ScriptedSandbox):
    """A sandbox with a fork server in it, whose sessions think with `brain`."""

    def __init__(self, brain: Brain) -> None:
        super().__init__(self._serve)
        self._brain = brain
        self.open: set[int] = set()
        self.opened = 0

    def _serve(self, frame: Frame) -> Iterable[object]:
        verb, number = frame.head["verb"], int(frame.head.get("session", 0))
        known = number in self.open
        if verb == "open" and not known:
            self.open.add(number)
            self.opened += 1
        elif verb == "close" and known:
            self.open.remove(number)
        elif verb == "session" and known:
            return [self._ask(number, frame)]
        elif verb != "submit":
            return [reply(frame, "refused")]
        return [reply(frame)]

    def _ask(self, number: int, frame: Frame) -> bytes:
        head = frame.head["request"]
        said = self._brain.answer(number, Frame(FrameType.REQUEST, frame.request_id, head, frame.body, frame.table))
        return reply(frame, said.status, answer=said.answer, body=said.body, text=said.text, exit=said.exit)


class FakeBackend:
    """Starts a `ServedSandbox` each time; `sandboxes` keeps them all."""

    name = "fake"
    isolated = False

    def __init__(self, brain: Brain) -> None:
        self._brain = brain
        self.sandboxes: list[ServedSandbox] = []

    def start(self, request: SandboxRequest) -> ServedSandbox:
        """See Backend."""
        self.sandboxes.append(ServedSandbox(self._brain))
        return self.sandboxes[-1]

    def reap(self, run_id: str = "") -> int:
        """See Backend."""
        return 0


class Ends(Exception):
    """Raised by a fake candidate's function: the process ends as `said` says, without an answer."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.status)
        self.said = said


class FunctionBrain:
    """Sessions whose entry file defines `functions`; `print` in them is `self.text += ...`."""

    def __init__(self, functions: Mapping[str, Any], *, max_body: int = 1024**2) -> None:
        self._functions = functions
        self._max_body = max_body
        self._sessions: dict[int, Session] = {}
        self.asked: list[Json] = []
        self.text = ""

    def answer(self, session: int, request: Frame) -> Said:
        """See Brain."""
        self.asked.append(request.head)
        found = self._sessions.setdefault(session, _Functions(self._functions, self._max_body))
        try:
            frame = read_frame(found.answer(request))
        except Ends as end:
            return end.said
        text, self.text = self.text, ""
        return Said(answer=frame.head, body=frame.body, text=text)


class _Functions(Session):
    """A session that has its functions from the start, and lets `Ends` through."""

    def __init__(self, functions: Mapping[str, Any], max_body: int) -> None:
        super().__init__(root=Path("/nowhere"), files={}, max_body=max_body)
        self.namespace = {name: self._noting(item) if callable(item) else item for name, item in functions.items()}
        self._end: Ends | None = None

    def answer(self, frame: Frame) -> bytes:
        """See Session; nothing is loaded from a file."""
        if frame.head["verb"] == "load":
            head = {"status": "ok", "value": list(self.namespace), "error": None}
            return encode_frame(FrameType.REPLY, frame.request_id, head)
        data = super().answer(frame)
        if self._end is not None:
            raise self._end
        return data

    def _noting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except Ends as end:
                self._end = end
                raise

        return noted
