"""One process of the sandbox as the suite's proxies speak with it: what it answers, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from grader.judge.ends import death_line, fault_of
from grader.judge.faults import CandidateFault
from grader.judge.link import Link, Reply
from grader.judge.tensors import leaf_reader, read_body
from grader.model import Outcome
from grader.worker.values import unpack
from grader.worker.wire import ProtocolError, check_keys

if TYPE_CHECKING:
    from grader.judge.bench import Bench

ANSWER_STATUS: Final = {"ok", "raised", "invalid", "output_limit"}


class Session:
    """One forked child: the `Line` of a Candidate."""

    def __init__(self, bench: Bench, link: Link, number: int, seeds: Callable[[], int]) -> None:
        self._bench, self._link, self.number, self._seeds = bench, link, number, seeds
        self.alive = True

    def ask(self, verb: str, arguments: Mapping[str, Any], value: Any, body: bytes, cpu_s: float | None) -> Any:
        """See proxy.Line."""
        if not self.usable:
            raise CandidateFault(Outcome.CRASHED, "the process that this object lived in has ended")
        request = {"verb": verb, "arguments": dict(arguments), "value": value, "seed": self._seeds()}
        head = {"verb": "session", "session": self.number, "request": request}
        try:
            reply = self._link.request(head, body, cpu_s=self._bench.budget(cpu_s), cancel=self._cancel())
        except CandidateFault as fault:
            self.alive = False
            self._bench.note_end(fault.outcome)
            raise
        self._bench.note_output(reply.output)
        return self._value(reply)

    @property
    def usable(self) -> bool:
        """True while the child can be asked."""
        return self.alive and not self._link.dead

    def close(self) -> None:
        """Ends the child; what it left behind goes with it."""
        if self.usable:
            self.alive = False
            try:
                self._link.request(self._cancel(), cpu_s=2.0)
            except CandidateFault:  # a server that does not answer is of no more use
                self._link.kill()

    def _cancel(self) -> dict[str, Any]:
        return {"verb": "close", "session": self.number}

    def _value(self, reply: Reply) -> Any:
        if reply.status != "ok" or reply.answer is None:
            self._raise_ended(reply)
        try:
            answer = check_keys(reply.answer, required=("status", "value", "error"))
            if not isinstance(answer["status"], str) or answer["status"] not in ANSWER_STATUS:
                raise ProtocolError("an answer of another form")  # noqa: TRY301 - one way to end a session
            if answer["status"] == "ok":
                return unpack(answer["value"], leaf_reader(read_body(reply.frame.body, reply.frame.table)))
            raise self._bench.explain(fault_of(answer, self._bench.own_line, gpu=self._bench.has_gpu))
        except ProtocolError as error:
            self._end(Outcome.PROTOCOL)
            raise CandidateFault(Outcome.PROTOCOL, f"the answer broke the protocol: {error}") from error

    def _raise_ended(self, reply: Reply) -> None:
        lines = {
            "died": (Outcome.CRASHED, death_line(reply)),
            "protocol": (Outcome.PROTOCOL, "the process wrote bytes that the protocol does not allow"),
            "output_limit": (Outcome.OUTPUT_LIMIT, "the code printed more than the output limit"),
        }
        outcome, line = lines.get(reply.status, (Outcome.CRASHED, "the sandbox could not start another process"))
        self._end(outcome)
        raise CandidateFault(outcome, line)

    def _end(self, outcome: Outcome) -> None:
        self.close()
        self._bench.note_end(outcome)
