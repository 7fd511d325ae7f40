"""Requests and replies over one sandbox: one at a time, each with deadlines on the judge's clocks.

CPU time decides what is too slow, read from the sandbox's accounts while we wait; the wider wall limit only
stops hangs. A deviation from the protocol ends the sandbox; there is no resynchronisation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from grader.judge.faults import CandidateFault, SandboxDown
from grader.model import Json, Limits, Outcome
from grader.sandbox.protocol import Sandbox, SandboxClosed
from grader.worker.wire import (
    HEADER,
    VERSION,
    Frame,
    FrameType,
    ProtocolError,
    check_keys,
    decode_frame,
    decode_header,
    encode_frame,
    parse_table,
)

POLL_S: Final = 0.05
MAX_POLL_S: Final = 0.2
"""Between two looks at the accounts, each of which reads five files of the kernel's."""
CANCEL_S: Final = 5.0
HELLO_S: Final = 240.0
"""Importing torch takes two seconds of CPU; on a machine that twenty others use, two minutes."""
CROWD: Final = 24
"""Processes and threads above which what hangs is ended together with its sandbox."""
OUTPUT_CAP: Final = 32 * 1024
STATUSES: Final = ("ok", "died", "protocol", "output_limit", "refused")


@dataclass(frozen=True, slots=True)
class Reply:
    """What the fork server says of one request; `answer` is the session's own head, not yet checked."""

    status: str
    answer: Json | None
    output: str
    signal: int | None
    frame: Frame


class Link:
    """The judge's end of one sandbox."""

    def __init__(self, sandbox: Sandbox, limits: Limits) -> None:
        self._sandbox, self._limits = sandbox, limits
        self._buffer = bytearray()
        self._cancelled: int | None = None
        self.dead = False
        self.spent_cpu_s = 0.0
        self.peak_bytes = 0
        self._oom_kills = 0

    def hello(self) -> Json:
        """The worker's first frame. Raises SandboxDown: no candidate byte has been sent yet, so it is ours."""
        try:
            frame = self._await(time.monotonic() + HELLO_S, None)
            head = check_keys(frame.head, required=("protocol", "versions", "sees"))
            if frame.type is not FrameType.HELLO or head["protocol"] != VERSION:
                raise ProtocolError("the worker speaks another protocol version")  # noqa: TRY301 - handled as any other
        except (CandidateFault, ProtocolError) as error:
            self.kill()
            raise SandboxDown(f"the sandbox did not come up: {error} {self._sandbox.log()[-500:]}".strip()) from error
        return head

    def request(
        self, head: Mapping[str, Any], body: bytes = b"", *, cpu_s: float, cancel: Mapping[str, Any] | None = None
    ) -> Reply:
        """Sends one request and waits for its reply.

        `cancel` is the request that ends what hangs, where killing less than the whole sandbox is enough.
        Raises CandidateFault (timeout, memory, crashed, protocol), SandboxDown; ValueError for what cannot be sent.
        """
        number = secrets.randbits(64)
        data = self._encode(number, head, body)
        wall = self._limits.wall_slack_s + self._limits.wall_factor * cpu_s
        deadline = time.monotonic() + wall
        try:
            self._send(data, deadline)
            frame = self._await(deadline, cpu_s)
            reply = self._check(frame, number)
        except ProtocolError as error:
            self.kill()
            raise CandidateFault(Outcome.PROTOCOL, f"the sandbox broke the protocol: {error}") from error
        except CandidateFault:
            self._give_up(number, cancel)
            raise
        if reply.status == "died" and reply.signal and self.out_of_memory():
            self._give_up(number, cancel)
            raise CandidateFault(Outcome.MEMORY, self._memory_line())
        return reply

    def _encode(self, number: int, head: Mapping[str, Any], body: bytes) -> bytes:
        """The bytes of a request. What the other side would refuse is the suite's mistake, so it never leaves."""
        try:
            data = encode_frame(FrameType.REQUEST, number, head, body)
            decode_header(data[: HEADER.size], max_body=self._limits.blob_bytes)
            if body:
                parse_table(body)
        except ProtocolError as error:
            raise ValueError(f"the arguments of a call cannot be sent: {error}") from error
        return data

    def out_of_memory(self) -> bool:
        """True where the kernel has killed for memory since the last time that we asked.

        Raises SandboxDown where it was the host's memory that ended: then the sandbox has lost a process for nothing.
        """
        before, usage = self._oom_kills, self._sandbox.usage()
        self._oom_kills = usage.oom_kills
        if usage.host_kills and usage.oom_kills == before:
            self.kill()
            raise SandboxDown("memory ended on the host, and its kernel ended a process of the sandbox")
        return usage.oom_kills > before

    def kill(self) -> None:
        """Ends the sandbox."""
        if not self.dead:
            self.dead = True
            self._note_usage()
            self._sandbox.close()

    def _note_usage(self) -> None:
        usage = self._sandbox.usage()
        self.spent_cpu_s, self.peak_bytes = usage.cpu_s, max(self.peak_bytes, usage.peak_bytes)

    def usage(self) -> tuple[float, int]:
        """CPU seconds and peak bytes of the sandbox so far."""
        if not self.dead:
            self._note_usage()
        return self.spent_cpu_s, self.peak_bytes

    def _send(self, data: bytes, deadline: float) -> None:
        try:
            self._sandbox.send(data, deadline)
        except SandboxClosed as error:
            raise self._ended() from error

    def _give_up(self, number: int, cancel: Mapping[str, Any] | None) -> None:
        """Ends what a request left running: its session if that is answered soon, else the sandbox."""
        if self.dead:
            return
        crowded = self._sandbox.usage().processes > CROWD  # a fork bomb leaves the server no CPU to answer with
        if crowded:
            self.kill()
            return
        if cancel is None:
            self._end_silence()
            return
        self._cancelled = number
        try:
            self.request(cancel, cpu_s=CANCEL_S / 10)
        except CandidateFault:
            self.kill()
        finally:
            self._cancelled = None

    def _end_silence(self) -> None:
        """Ends a sandbox whose server does not answer. Raises SandboxDown where the engine does not either."""
        ending = self._sandbox.ending()
        self.kill()
        if ending.reason == "down":
            raise SandboxDown(ending.detail)

    def _await(self, deadline: float, cpu_s: float | None) -> Frame:
        """The next whole frame. Partial frames do not extend any deadline."""
        base: float | None = None
        pause = POLL_S
        while True:
            frame = self._next_frame()
            if frame is not None:
                return frame
            try:
                data = self._sandbox.receive(pause)
            except SandboxClosed as error:
                raise self._ended() from error
            self._buffer += data
            if data and time.monotonic() < deadline:
                continue
            usage = self._sandbox.usage()
            self.spent_cpu_s, self.peak_bytes = usage.cpu_s, max(self.peak_bytes, usage.peak_bytes)
            base = usage.cpu_s if base is None else base
            used = usage.cpu_s - base
            self._judge_limits(deadline, cpu_s, used, usage.current_bytes)
            # The longer it takes the less often we look, but as often as ever where a limit may be reached meanwhile.
            soonest = min(deadline - time.monotonic(), (cpu_s - used) / self._limits.cpus if cpu_s else MAX_POLL_S)
            pause = max(POLL_S, min(2 * pause, MAX_POLL_S, soonest))

    def _judge_limits(self, deadline: float, cpu_s: float | None, used_cpu_s: float, memory: int) -> None:
        if cpu_s is not None and used_cpu_s > cpu_s:
            raise CandidateFault(Outcome.TIMEOUT, f"the call used more than its {cpu_s:g} s of CPU time")
        if cpu_s is not None and memory > self._limits.memory_bytes:  # a hello has only the clock: attestation follows
            raise CandidateFault(Outcome.MEMORY, self._memory_line())
        if time.monotonic() >= deadline:
            raise CandidateFault(Outcome.TIMEOUT, "the call hung: it passed the wall-clock limit that stops hangs")

    def _next_frame(self) -> Frame | None:
        if len(self._buffer) < HEADER.size:
            return None
        header = decode_header(bytes(self._buffer[: HEADER.size]), max_body=self._limits.blob_bytes)
        end = HEADER.size + header.json_bytes + header.body_bytes
        if len(self._buffer) < end:
            return None
        middle = HEADER.size + header.json_bytes
        frame = decode_frame(header, bytes(self._buffer[HEADER.size : middle]), bytes(self._buffer[middle:end]))
        del self._buffer[:end]
        if frame.type is FrameType.REPLY and frame.request_id == self._cancelled:
            self._cancelled = None  # it was answered in the moment in which we gave up on it
            return self._next_frame()
        if self._buffer and self._cancelled is None:
            raise ProtocolError("bytes that nobody asked for")
        return frame

    def _check(self, frame: Frame, number: int) -> Reply:
        if frame.type is not FrameType.REPLY or frame.request_id != number:
            raise ProtocolError("not the reply to this request")
        head = check_keys(frame.head, required=("status", "answer", "output", "exit"))
        output = check_keys(head["output"], required=("text", "bytes"))
        if head["status"] not in STATUSES or not isinstance(output["text"], str):
            raise ProtocolError("a reply of another form")
        ended = head["exit"]
        signal = check_keys(ended, required=("code", "signal"))["signal"] if ended is not None else None
        if head["answer"] is not None and not isinstance(head["answer"], dict):
            raise ProtocolError("an answer of another form")
        return Reply(
            status=head["status"],
            answer=head["answer"],
            output=output["text"][:OUTPUT_CAP],
            signal=signal if isinstance(signal, int) else None,
            frame=frame,
        )

    def _ended(self) -> Exception:
        """Why the stream is closed, as the exception to raise."""
        self._note_usage()
        ending = self._sandbox.ending()
        self.kill()
        if ending.reason == "down":
            return SandboxDown(ending.detail)
        if ending.reason == "memory":
            return CandidateFault(Outcome.MEMORY, self._memory_line())
        return CandidateFault(Outcome.CRASHED, f"the sandbox ended: {ending.detail}")

    def _memory_line(self) -> str:
        return f"it used more than its {self._limits.memory_bytes // 1024**2} MiB of memory"
