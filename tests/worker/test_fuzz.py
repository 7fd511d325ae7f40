"""The judge's decoder under random and mutated frames: nothing but a ProtocolError comes out, and memory stays flat.

GRADER_FUZZ_CASES sets the number of frames (10^4 unless given; 10^6 for a long night).
"""

from __future__ import annotations

import json
import os
import random
import resource
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import safetensors.numpy

from grader.judge.answers import Answer
from grader.judge.tensors import leaf_reader, read_body
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

CASES: Final = int(os.environ.get("GRADER_FUZZ_CASES", "10000"))
MAX_BODY: Final = 1024**2
MAX_GROWTH_KB: Final = 64 * 1024

INTERESTING: Final = [0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**20, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1]
SNIPPETS: Final = [
    b"NaN", b"1e400", b'{"a":1,"a":2}', b"[" * 40, b"]" * 40, b"9" * 5000, b"\\ud800", b'"' + b'\\"' * 3000, b"\xff",
    b'{"$":"handle","v":1}', b'{"$":"dict","v":[[1,2]]}', b'{"$":"float","v":"nan"}', b'"$"', b"null", b"-0", b"\0",
    b'"shape":[0,4611686018427387904]', b'"dtype":"F64"', b'"data_offsets":[0,0]', b"{},{}," * 200,
]  # fmt: skip


def read(data: bytes) -> None:
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
        lambda: answer.count("total"),
        answer.names,
    ]
    for call in calls:
        try:
            with np.errstate(
                all="ignore"
            ):  # casting a signalling NaN warns, and warnings are errors in these tests only
                call()
        except AssertionError:
            continue


def seeds() -> list[bytes]:
    """Honest frames with something of everything in them."""
    arrays: dict[str, np.ndarray[Any, Any]] = {
        "t0": np.ones((2, 3), np.float32),
        "t1": np.arange(4),
        "t2": np.zeros((0, 5), np.float16),
        "t3": np.array([True, False]),
        "t4": np.array(1.5),
    }
    tensors = [{"$": "tensor", "v": name} for name in arrays]
    values: list[Any] = [
        None,
        tensors,
        {"$": "numbers", "v": "t0"},
        {"$": "dict", "v": [["loss", [0.5, {"$": "float", "v": "nan"}]], ["total", 3]]},
        {"$": "tuple", "v": [{"$": "handle", "v": 3}, [1, [2, 3]], "text", True]},
        [[1.0, 2.0], [3.0, 4.0]],
    ]
    body = safetensors.numpy.save(arrays)
    heads = [{"status": "ok", "value": value, "error": None} for value in values]
    without = [encode_frame(FrameType.REPLY, 7, head) for head in (heads[0], *heads[3:])]
    return without + [encode_frame(FrameType.REPLY, 7, head, body) for head in heads]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """`data` with one to four random changes; in half of the cases with lengths that fit again."""
    raw = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(raw))
        kind = rng.randrange(6)
        if kind == 0:
            raw[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            raw[at : at + 1] = rng.choice(SNIPPETS)
        elif kind == 2:
            del raw[at : at + rng.randint(1, 20)]
        elif kind == 3:
            raw[at:at] = raw[at : at + rng.randint(1, 40)]
        elif kind == 4:
            number, width = rng.choice(INTERESTING), rng.choice((1, 2, 4, 8))
            raw[at : at + width] = (number % 256**width).to_bytes(width, rng.choice(("big", "little")))
        else:
            raw[at : at + 4] = rng.randbytes(4)
        if not raw:
            return b""
    return fitted(bytes(raw), data, rng) if rng.random() < 0.5 else bytes(raw)


def fitted(raw: bytes, original: bytes, rng: random.Random) -> bytes:
    """`raw` with an honest header, so that the mutation reaches the JSON and the table."""
    _, _, _, _, _, json_bytes, body_bytes = HEADER.unpack(original[: HEADER.size])
    rest = raw[HEADER.size :]
    cut = max(2, len(rest) - body_bytes) if rng.random() < 0.5 else min(json_bytes, len(rest))
    return HEADER.pack(MAGIC, 1, 3, 0, 7, cut, max(0, len(rest) - cut)) + rest


def noise(rng: random.Random) -> bytes:
    """A frame of random content behind an honest header."""
    text = json.dumps({"status": "ok", "value": rng.choice(["x", 1, [], {}]), "error": rng.choice([None, {}])}).encode()
    text = text if rng.random() < 0.5 else rng.randbytes(rng.randint(2, 200))
    table = json.dumps({"a": {"dtype": rng.choice(["F32", "U8", "X"]), "shape": [rng.choice(INTERESTING)],
                              "data_offsets": [0, rng.choice(INTERESTING)]}}).encode()  # fmt: skip
    body = rng.choice([b"", rng.randbytes(30), len(table).to_bytes(8, "little") + table + bytes(rng.randrange(300))])
    return HEADER.pack(MAGIC, 1, rng.choice((1, 2, 3)), 0, 7, len(text), len(body)) + text + body


def test_only_protocol_errors_come_out_of_the_decoder() -> None:
    rng, honest = random.Random(20240229), seeds()
    for data in honest:
        read(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for number in range(CASES):
        data = noise(rng) if number % 5 == 0 else mutate(rng.choice(honest), rng)
        try:
            read(data)
        except ProtocolError:
            refused += 1
        except Exception as error:
            raise AssertionError(f"case {number}: {type(error).__name__} for {data[:4000]!r}") from error
    assert refused > CASES // 3, "the mutations do not reach the checks"
    assert refused < CASES, "the mutations never leave a frame readable"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_GROWTH_KB
