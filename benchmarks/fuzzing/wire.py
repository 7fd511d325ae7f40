"""The judge's borders: a session's answer, the fork server's replies, its hello, and a notebook's recording."""

from __future__ import annotations

import functools
import io
import json
import random
import struct
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import safetensors.numpy
from PIL import Image

from benchmarks.fuzzing.mutation import INTERESTING, Border, Broken, mutated
from grader.judge.answers import Answer
from grader.judge.cleaning import clean_notebook
from grader.judge.faults import CandidateFault, SandboxDown
from grader.judge.link import Link
from grader.judge.tensors import leaf_reader, read_body
from grader.model import Json, Limits, SandboxFacts
from grader.sandbox.protocol import Ending, SandboxClosed, Usage
from grader.text import sanitize_text
from grader.worker.values import unpack
from grader.worker.wire import (
    HEADER,
    MAGIC,
    FrameType,
    ProtocolError,
    check_keys,
    decode_frame,
    decode_header,
    encode_frame,
)

MAX_BODY: Final = 1024**2
SNIPPETS: Final = [
    b"NaN", b"1e400", b'{"a":1,"a":2}', b"[" * 40, b"]" * 40, b"9" * 5000, b"\\ud800", b'"' + b'\\"' * 3000, b"\xff",
    b'{"$":"handle","v":1}', b'{"$":"dict","v":[[1,2]]}', b'{"$":"float","v":"nan"}', b'"$"', b"null", b"-0", b"\0",
    b'"shape":[0,4611686018427387904]', b'"dtype":"F64"', b'"data_offsets":[0,0]', b"{},{}," * 200, b'"died"', b"true",
    b'"output_limit"', b'{"code":0,"signal":9}', b'{"code":null,"signal":null}', b"1e308", b"-1", b"\\u001b[2J",
]  # fmt: skip


# --- a session's answer -----------------------------------------------------------------------------


def read_answer(data: bytes) -> None:
    """All that the judge does with a session's answer."""
    if len(data) < HEADER.size:
        return
    header = decode_header(data[: HEADER.size], max_body=MAX_BODY)
    middle = HEADER.size + header.json_bytes
    if len(data) < middle + header.body_bytes:
        return
    frame = decode_frame(header, data[HEADER.size : middle], data[middle : middle + header.body_bytes])
    head = check_keys(frame.head, required=("status", "value", "error"))
    value = unpack(head["value"], leaf_reader(read_body(frame.body, frame.table)))
    use(Answer(value, lambda _: None))  # type: ignore[arg-type,return-value]  # no handle is called here


def use(answer: Answer) -> None:
    """What suites do with an answer: a wrong one is an AssertionError."""
    calls: list[Callable[[], Any]] = [
        answer.tensor,
        lambda: answer.tensor(dtype="floating", shape=(2, None)),
        lambda: answer.tensor(dtype="integer", finite=False),
        answer.floats,
        lambda: answer.floats("loss"),
        answer.number,
        answer.integer,
        answer.handle,
        answer.is_none,
        answer.tensors,
        lambda: answer.item(1).number(),
        lambda: answer.count("total"),
        answer.names,
    ]
    for call in calls:
        try:
            with np.errstate(all="ignore"):  # casting a signalling NaN warns, and tests make warnings errors
                call()
        except AssertionError:
            continue


ARRAYS: Final[dict[str, np.ndarray[Any, Any]]] = {
    "t0": np.ones((2, 3), np.float32),
    "t1": np.arange(4),
    "t2": np.zeros((0, 5), np.float16),
    "t3": np.array([True, False]),
    "t4": np.array(1.5),
}


@functools.cache
def answers() -> tuple[bytes, ...]:
    """Honest frames with something of everything in them."""
    values: list[Any] = [
        None,
        [{"$": "tensor", "v": name} for name in ARRAYS],
        {"$": "numbers", "v": "t0"},
        {"$": "dict", "v": [["loss", [0.5, {"$": "float", "v": "nan"}]], ["total", 3]]},
        {"$": "tuple", "v": [{"$": "handle", "v": 3}, [1, [2, 3]], "text", True]},
        [[1.0, 2.0], [3.0, 4.0]],
    ]
    body = safetensors.numpy.save(ARRAYS)
    heads = [{"status": "ok", "value": value, "error": None} for value in values]
    without = [encode_frame(FrameType.REPLY, 7, head) for head in (heads[0], *heads[3:])]
    return (*without, *(encode_frame(FrameType.REPLY, 7, head, body) for head in heads))


def make_answer(rng: random.Random) -> bytes:
    """A mutated frame, in half of the cases with lengths that fit again; one in five is random throughout."""
    if rng.random() < 0.2:
        return noise(rng)
    honest = rng.choice(answers())
    raw = mutated(honest, rng, SNIPPETS)
    return fitted(raw, honest, rng) if rng.random() < 0.5 else raw


def fitted(raw: bytes, original: bytes, rng: random.Random) -> bytes:
    """`raw` with an honest header, so that the mutation reaches the JSON and the table."""
    _, _, kind, _, number, json_bytes, body_bytes = HEADER.unpack(original[: HEADER.size])
    rest = raw[HEADER.size :]
    cut = max(2, len(rest) - body_bytes) if rng.random() < 0.5 else min(json_bytes, len(rest))
    return HEADER.pack(MAGIC, 1, kind, 0, number, cut, max(0, len(rest) - cut)) + rest


def noise(rng: random.Random) -> bytes:
    """A frame of random content behind an honest header."""
    text = json.dumps({"status": "ok", "value": rng.choice(["x", 1, [], {}]), "error": rng.choice([None, {}])}).encode()
    text = text if rng.random() < 0.5 else rng.randbytes(rng.randint(2, 200))
    table = json.dumps({"a": {"dtype": rng.choice(["F32", "U8", "X"]), "shape": [rng.choice(INTERESTING)],
                              "data_offsets": [0, rng.choice(INTERESTING)]}}).encode()  # fmt: skip
    body = rng.choice([b"", rng.randbytes(30), len(table).to_bytes(8, "little") + table + bytes(rng.randrange(300))])
    return HEADER.pack(MAGIC, 1, rng.choice((1, 2, 3)), 0, 7, len(text), len(body)) + text + body


# --- the link ---------------------------------------------------------------------------------------


class Canned:
    """A sandbox that says the given bytes once it has been asked, and closes."""

    def __init__(self, hello: bytes, said: bytes) -> None:
        self._chunks, self._said = deque([hello]), said

    def send(self, data: bytes, deadline: float) -> None:  # noqa: ARG002 - part of the protocol
        """Answers under the id of the request, wherever the bytes still have a header to hold it."""
        said = self._said
        if len(said) >= HEADER.size:
            said = said[:8] + data[8:16] + said[16:]
        half = len(said) // 2
        self._chunks.extend(part for part in (said[:half], said[half:]) if part)

    def receive(self, timeout_s: float) -> bytes:  # noqa: ARG002 - part of the protocol
        """The next bytes, then the end."""
        if not self._chunks:
            raise SandboxClosed("the end")
        return self._chunks.popleft()

    def log(self) -> str:
        """See Sandbox."""
        return ""

    def usage(self) -> Usage:
        """See Sandbox."""
        return Usage()

    def ending(self) -> Ending:
        """See Sandbox."""
        return Ending(reason="exited")

    def outside(self) -> Json:
        """See Sandbox."""
        return {}

    def facts(self, hello: Json) -> SandboxFacts:
        """See Sandbox."""
        return SandboxFacts(backend="canned", isolated=False, versions=hello["versions"])

    def close(self) -> None:
        """See Sandbox."""


HELLO: Final = encode_frame(FrameType.HELLO, 0, {"protocol": 1, "versions": {"python": "3"}, "sees": {"uid": 1}})
LIMITS: Final = Limits(wall_slack_s=5.0, wall_factor=0.0, blob_bytes=MAX_BODY)


@functools.cache
def replies() -> tuple[bytes, ...]:
    """Honest replies of the fork server."""
    output = {"text": "printed\x1b[31m", "bytes": 9}
    answer = {"status": "ok", "value": None, "error": None}
    heads: list[Json] = [
        {"status": "ok", "answer": answer, "output": output, "exit": None},
        {"status": "died", "answer": None, "output": output, "exit": {"code": None, "signal": 9}},
        {"status": "output_limit", "answer": None, "output": {"text": "", "bytes": 0}, "exit": None},
    ]
    body = safetensors.numpy.save(ARRAYS)
    plain = [encode_frame(FrameType.REPLY, 7, head) for head in heads]
    return (*plain, encode_frame(FrameType.REPLY, 7, heads[0], body), plain[0] * 2, HELLO)


def make_reply(rng: random.Random) -> bytes:
    """A mutated reply, in half of the cases with lengths that fit again."""
    honest = rng.choice(replies())
    raw = mutated(honest, rng, SNIPPETS)
    return fitted(raw, honest, rng) if rng.random() < 0.5 else raw


def read_reply(data: bytes) -> None:
    """One request to a sandbox that answers `data`."""
    link = Link(Canned(HELLO, data), LIMITS)
    link.hello()
    reply = link.request({"verb": "ping"}, cpu_s=1.0)
    shown = sanitize_text(reply.output)
    if "\x1b" in shown:
        raise Broken("an escape in what was printed")


def make_hello(rng: random.Random) -> bytes:
    """A mutated hello."""
    raw = mutated(HELLO, rng, SNIPPETS)
    return fitted(raw, HELLO, rng) if rng.random() < 0.5 else raw


def read_hello(data: bytes) -> None:
    """The start of a sandbox that says `data`."""
    Link(Canned(data, b""), LIMITS).hello()


# --- a notebook's recording -------------------------------------------------------------------------


@functools.cache
def picture() -> bytes:
    """A small PNG."""
    out = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(out, "PNG")
    return out.getvalue()


RECORD: Final = [
    ["code", "print(1)", [["stdout", "1\n"], ["error", "ValueError\x1b[0m"], ["png", {"$": "tensor", "v": "t0"}]]],
    ["text", "# a title <script>", []],
]


def make_recording(rng: random.Random) -> bytes:
    """Length of the JSON, a mutated recording and a PNG, mutated in two of three cases."""
    text = json.dumps(RECORD).encode()
    text = mutated(text, rng, SNIPPETS, 3) if rng.random() < 0.7 else text
    image = mutated(picture(), rng, (b"IDAT", b"IEND", b"tEXt", b"\x7f\xff\xff\xff", b"acTL", b"zTXt"))
    return struct.pack(">I", len(text)) + text + (image if rng.random() < 0.67 else picture())


def read_recording(data: bytes) -> None:
    """The notebook that would stand beside the report."""
    (size,) = struct.unpack(">I", data[:4])
    image = np.frombuffer(data[4 + size :], np.uint8)
    clean = clean_notebook(parsed(data[4 : 4 + size], image))
    if clean and (b"\x1b" in clean or not isinstance(json.loads(clean), dict)):
        raise Broken("the notebook is not clean")


def parsed(text: bytes, image: np.ndarray[Any, Any]) -> Any:  # noqa: ANN401 - whatever was recorded
    """The recording as the judge has it after the wire: strict JSON, tensors at its leaves."""
    body = safetensors.numpy.save({"t0": image})
    frame_head = b'{"value":' + text + b"}"
    header = decode_header(HEADER.pack(MAGIC, 1, 3, 0, 7, len(frame_head), len(body)))
    frame = decode_frame(header, frame_head, body)
    return unpack(check_keys(frame.head, required=("value",))["value"], leaf_reader(read_body(frame.body, frame.table)))


BORDERS: Final = (
    Border(name="session answers", make=make_answer, read=read_answer, refusals=(ProtocolError,), share=35),
    Border(name="server replies", make=make_reply, read=read_reply, refusals=(CandidateFault,), share=12),
    Border(name="server hello", make=make_hello, read=read_hello, refusals=(SandboxDown,), share=4),
    Border(name="notebook recordings", make=make_recording, read=read_recording, refusals=(ProtocolError,), share=4),
)
