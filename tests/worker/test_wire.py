"""What the wire refuses, and that what it does not refuse arrives as it was sent."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.worker import wire
from grader.worker.wire import HEADER, FrameType, Header, ProtocolError, decode_frame, decode_header, encode_frame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("ab$v", max_size=3), inner, max_size=5),
    max_leaves=30,
)  # fmt: skip


def header(**changes: Any) -> bytes:
    fields = {"magic": b"GRDR", "version": 1, "kind": 3, "flags": 0, "id": 7, "json": 2, "body": 0} | changes
    return HEADER.pack(*fields.values())


def decode(data: bytes, max_body: int = wire.DEFAULT_BODY_BYTES) -> wire.Frame:
    head: Header = decode_header(data[: HEADER.size], max_body=max_body)
    middle = HEADER.size + head.json_bytes
    return decode_frame(head, data[HEADER.size : middle], data[middle : middle + head.body_bytes])


@given(st.sampled_from(FrameType), st.integers(0, 2**64 - 1), st.dictionaries(st.text("xyz"), JSON, max_size=4))
def test_a_frame_arrives_as_it_was_sent(kind: FrameType, number: int, head: dict[str, Any]) -> None:
    found = decode(encode_frame(kind, number, head))
    assert (found.type, found.request_id, found.head, found.body) == (kind, number, head, b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"magic": b"GRDX"},
        {"magic": b"\0\0\0\0"},
        {"version": 0},
        {"version": 2},
        {"kind": 0},
        {"kind": 4},
        {"kind": 255},
        {"flags": 1},
        {"flags": 0x8000},
        {"json": 0},
        {"json": 1},
        {"json": wire.MAX_JSON_BYTES + 1},
        {"json": 2**32 - 1},
        {"body": wire.DEFAULT_BODY_BYTES + 1},
        {"body": 2**63},
        {"body": 2**64 - 1},
    ],
    ids=str,
)
def test_a_bad_header_is_refused_before_anything_is_allocated(changes: dict[str, Any]) -> None:
    raw = header(**changes)
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            decode_header(raw)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024
    finally:
        tracemalloc.stop()


def test_the_caller_decides_how_large_a_body_may_be() -> None:
    assert decode_header(header(body=100), max_body=100).body_bytes == 100
    with pytest.raises(ProtocolError):
        decode_header(header(body=101), max_body=100)


HOSTILE_JSON = {
    "duplicate key": b'{"a":1,"a":2}',
    "duplicate key inside": b'{"x":[{"a":1,"a":1}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "float that overflows": b'{"a":1e400}',
    "minus float that overflows": b"[-1e400]",
    "depth just over the limit": b"[" * 33 + b"]" * 33,
    "depth bomb": b"[" * 500_000 + b"]" * 500_000,
    "depth bomb never closed": b"[" * 1_000_000,
    "depth bomb of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "node bomb of objects": b"[" + b"{}," * 300_000 + b"{}]",
    "node bomb of numbers": b"[" + b"1," * 500_000 + b"1]",
    "5,000 digits": b"[" + b"9" * 5000 + b"]",
    "a million digits": b"[" + b"9" * 1_000_000 + b"]",
    "beyond 64 bits": b"[9223372036854775808]",
    "beyond 64 bits below": b"[-9223372036854775809]",
    "lone surrogate": b'{"a":"\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff":1}',
    "string too long": b'["' + b"a" * (wire.MAX_STRING + 1) + b'"]',
    "unterminated string of escapes": b'"' + b'\\"' * 500_000,
    "unterminated string that ends in a backslash": b'"' + b'\\"' * 500_000 + b"\\",
    "many quotes": b'"' * 999_999,
    "not UTF-8": b'["\xff\xfe"]',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a control character": b'["\x01"]',
    "a comment": b"{} // x",
    "two values": b"{}{}",
    "trailing comma": b"[1,]",
    "nothing": b"",
    "over the cap": b"[" + b" " * wire.MAX_JSON_BYTES + b"]",
}


@pytest.mark.parametrize("text", HOSTILE_JSON.values(), ids=HOSTILE_JSON)
def test_hostile_json_is_refused_and_costs_little(text: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            wire.parse_json(text)
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024**2
    finally:
        tracemalloc.stop()


def test_what_only_looks_hostile_is_read() -> None:
    brackets = "[{" * 1000
    text = json.dumps({"a": brackets, "commas": "," * 60_000, "quote": '\\"[', "edge": [2**63 - 1, -(2**63)]}).encode()
    assert wire.parse_json(text)["a"] == brackets
    assert wire.parse_json(b"[" * 32 + b"]" * 32)


@pytest.mark.parametrize("text", [b"[]", b"1", b'"x"', b"null", b"true"])
def test_the_head_must_be_an_object(text: bytes) -> None:
    with pytest.raises(ProtocolError, match="object"):
        decode(header(json=len(text)) + text) if len(text) > 1 else decode_frame(
            Header(FrameType.REPLY, 7, 2, 0), text, b""
        )


@pytest.mark.parametrize(
    "value", [None, [], "ab", {}, {"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "x": 2}, {"A": 1, "b": 2}], ids=str
)
def test_only_the_agreed_keys_are_taken(value: Any) -> None:
    with pytest.raises(ProtocolError):
        wire.check_keys(value, required=("a", "b"))


def test_optional_keys_may_be_absent_and_no_others_present() -> None:
    assert wire.check_keys({"a": 1}, required=("a",), optional=("b",)) == {"a": 1}
    with pytest.raises(ProtocolError):
        wire.check_keys({"a": 1, "c": 1}, required=("a",), optional=("b",))


@pytest.mark.parametrize(
    "head",
    [{"a": float("nan")}, {"a": float("inf")}, {"a": object()}, {"a": "x" * wire.MAX_JSON_BYTES}, {"a": [0] * 70_000}],
    ids=["nan", "inf", "object", "too long", "too many nodes"],
)
def test_our_own_head_is_held_to_the_same_rules(head: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        encode_frame(FrameType.REQUEST, 1, head)


# --- the tensor table -------------------------------------------------------------------------------


def body(table: Any, data: bytes = b"") -> bytes:
    text = table if isinstance(table, bytes) else json.dumps(table).encode()
    return struct.pack("<Q", len(text)) + text + data


def row(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets} | more


def two(first: tuple[int, int], second: tuple[int, int]) -> dict[str, Any]:
    return {"a": row(offsets=first), "b": row(offsets=second)}


EMPTY_ROW = json.dumps(row("U8", [0], [0, 0])).encode()
BODIES: dict[str, Callable[[], bytes]] = {
    "shorter than its header": lambda: b"\0\0\0",
    "nothing but a header": lambda: body(b""),
    "no tensor": lambda: body({}),
    "table larger than the body": lambda: struct.pack("<Q", 60_000) + b"{}",
    "table of 99 MB": lambda: struct.pack("<Q", 99_000_000) + b"{}",
    "table of 2**64 - 1": lambda: struct.pack("<Q", 2**64 - 1) + b"{}",
    "200,000 tensors": lambda: body(b"{%s}" % b",".join(b'"%d":%s' % (i, EMPTY_ROW) for i in range(200_000))),
    "257 tensors": lambda: body({f"{i}": row("U8", [0], [0, 0]) for i in range(257)}),
    "a list": lambda: body([row()], bytes(8)),
    "a shape that overflows": lambda: body({"a": row(shape=[0, 2**62], offsets=[0, 0])}),
    "a product that overflows": lambda: body({"a": row(shape=[2**39] * 8)}, bytes(8)),
    "2,000 dimensions": lambda: body({"a": row(shape=[1] * 2000, offsets=[0, 4])}, bytes(4)),
    "nine dimensions": lambda: body({"a": row(shape=[1] * 9, offsets=[0, 4])}, bytes(4)),
    "dtype swapped for a wider one": lambda: body({"a": row("F64")}, bytes(8)),
    "dtype swapped for a narrower one": lambda: body({"a": row("I8")}, bytes(8)),
    "dtype that may not cross": lambda: body({"a": row("F8_E4M3", [8])}, bytes(8)),
    "complex": lambda: body({"a": row("C64", [1])}, bytes(8)),
    "dtype that is no string": lambda: body({"a": row(["F32"])}, bytes(8)),
    "negative size": lambda: body({"a": row(shape=[-2], offsets=[0, 8])}, bytes(8)),
    "two negative sizes": lambda: body({"a": row(shape=[-1, -2])}, bytes(8)),
    "size that is a bool": lambda: body({"a": row(shape=[2, True])}, bytes(8)),
    "size that is a float": lambda: body({"a": row(shape=[2.0])}, bytes(8)),
    "shape that is a string": lambda: body({"a": row(shape="2")}, bytes(8)),
    "overlap": lambda: body(two((0, 8), (4, 12)), bytes(12)),
    "the same bytes twice": lambda: body(two((0, 8), (0, 8)), bytes(8)),
    "gap": lambda: body(two((0, 8), (12, 20)), bytes(20)),
    "gap at the start": lambda: body({"a": row(offsets=(4, 12))}, bytes(12)),
    "trailing bytes": lambda: body({"a": row()}, bytes(9)),
    "missing bytes": lambda: body({"a": row()}, bytes(7)),
    "offsets reversed": lambda: body({"a": row(offsets=(8, 0))}, bytes(8)),
    "three offsets": lambda: body({"a": row(offsets=(0, 8, 8))}, bytes(8)),
    "negative offset": lambda: body({"a": row(offsets=(-8, 0))}, bytes(8)),
    "unknown key": lambda: body({"a": row(code="x")}, bytes(8)),
    "key missing": lambda: body({"a": {"dtype": "F32", "shape": [2]}}, bytes(8)),
    "metadata": lambda: body({"__metadata__": {"pickle": "x"}, "a": row()}, bytes(8)),
    "duplicate name": lambda: body(b'{"a":%s,"a":%s}' % ((json.dumps(row()).encode(),) * 2), bytes(8)),
    "depth bomb": lambda: body(b'{"a":' + b"[" * 60_000, b""),
    "row that is a number": lambda: body({"a": 1}, bytes(8)),
}


@pytest.mark.parametrize("make", BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_refused_before_any_library_sees_it(make: Callable[[], bytes]) -> None:
    raw = make()
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError):
            wire.parse_table(raw)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024**2
    finally:
        tracemalloc.stop()


def test_an_honest_body_is_read() -> None:
    table = {"a": row("F32", [2], [0, 8]), "e": row("I64", [0, 3], [8, 8]), "s": row("BOOL", [], [8, 9])}
    found = wire.parse_table(body(table, bytes(9)))
    assert found["e"] == wire.TensorInfo("I64", (0, 3), 8, 8)
    assert found["s"].shape == ()
