"""The frames that cross the trust border, and the checks that make them safe to read.

A frame is a 28-byte header, a strict JSON head and a safetensors body:

    magic(4) version(1) type(1) flags(2) request id(8) json length(4) body length(8) | json | body

Bytes from the sandbox are hostile: every length is checked before it is allocated, JSON is refused
where the standard parser would be generous (duplicate keys, NaN, depth, huge integers, lone
surrogates), and the body's tensor table is checked before any library sees it. Each deviation is a
`ProtocolError`; nobody resynchronises after one. Nothing here unpickles, evaluates or imports a name.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

MAGIC: Final = b"GRDR"
VERSION: Final = 1
HEADER: Final = struct.Struct(">4sBBHQIQ")

MAX_JSON_BYTES: Final = 1024**2
MAX_DEPTH: Final = 32
MAX_NODES: Final = 65_536
MAX_STRING: Final = 64 * 1024
MAX_TENSORS: Final = 256
MAX_TABLE_BYTES: Final = 64 * 1024
MAX_DIMS: Final = 8
DEFAULT_BODY_BYTES: Final = 64 * 1024**2

ITEM_BYTES: Final[Mapping[str, int]] = {
    "F64": 8,
    "F32": 4,
    "F16": 2,
    "BF16": 2,
    "I64": 8,
    "I32": 4,
    "I16": 2,
    "I8": 1,
    "U8": 1,
    "BOOL": 1,
}
"""safetensors dtype names that may cross, with their size in bytes."""

# Possessive, and running to the end of an unterminated string: linear, and without memory for going back.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NOT_BRACKETS: Final = re.compile(rb"[^][{}]+")

Node = Any
"""A value as JSON: plain null, bool, int, finite float, str, list, or a tagged object {"$": tag, "v": ...}."""


class ProtocolError(Exception):
    """The other side sent what the protocol does not allow."""


class FrameType(IntEnum):
    """What a frame is. HELLO comes once, first; each REQUEST has one REPLY of the same id."""

    HELLO = 1
    REQUEST = 2
    REPLY = 3


@dataclass(frozen=True, slots=True)
class Header:
    """The fixed part of a frame."""

    type: FrameType
    request_id: int
    json_bytes: int
    body_bytes: int


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One row of a body's tensor table: dtype (safetensors name), shape, byte range of the data."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose head has been parsed and whose body's table has been checked."""

    type: FrameType
    request_id: int
    head: dict[str, Any]
    body: bytes
    table: Mapping[str, TensorInfo]


def encode_frame(kind: FrameType, request_id: int, head: Mapping[str, Any], body: bytes = b"") -> bytes:
    """The bytes of one frame. Raises ProtocolError where the head is over a cap or not JSON."""
    try:
        text = json.dumps(head, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
    except (ValueError, TypeError, RecursionError) as error:
        raise ProtocolError(f"head cannot be written as JSON: {error}") from error
    if len(text) > MAX_JSON_BYTES:
        raise ProtocolError(f"head has {len(text)} bytes, at most {MAX_JSON_BYTES} are allowed")
    _scan(text)
    return HEADER.pack(MAGIC, VERSION, kind, 0, request_id, len(text), len(body)) + text + body


def decode_header(raw: bytes, *, max_body: int = DEFAULT_BODY_BYTES) -> Header:
    """The header in `raw` (28 bytes). Raises ProtocolError before anything is allocated for the rest."""
    magic, version, kind, flags, request_id, json_bytes, body_bytes = HEADER.unpack(raw)
    if magic != MAGIC or version != VERSION or flags != 0:
        raise ProtocolError("not a frame of this protocol version")
    if kind not in FrameType.__members__.values():
        raise ProtocolError(f"unknown frame type {kind}")
    if not 2 <= json_bytes <= MAX_JSON_BYTES:
        raise ProtocolError(f"head of {json_bytes} bytes is outside 2..{MAX_JSON_BYTES}")
    if body_bytes > max_body:
        raise ProtocolError(f"body of {body_bytes} bytes is over the cap of {max_body}")
    return Header(FrameType(kind), request_id, json_bytes, body_bytes)


def decode_frame(header: Header, text: bytes, body: bytes) -> Frame:
    """The frame of a checked header and its two parts, read in full."""
    head = parse_json(text)
    if not isinstance(head, dict):
        raise ProtocolError("the head is not an object")
    return Frame(header.type, header.request_id, head, body, parse_table(body) if body else {})


# --- JSON -------------------------------------------------------------------------------------------


def parse_json(text: bytes) -> Any:
    """Strict JSON. Raises ProtocolError for all that the standard parser would let through quietly."""
    if len(text) > MAX_JSON_BYTES:
        raise ProtocolError("JSON is over the cap")
    _scan(text)
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_unique_object,
            parse_int=_bounded_int,
            parse_float=_finite_float,
            parse_constant=_no_constant,
        )
        _check_strings(value)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ProtocolError(f"not strict JSON: {type(error).__name__}") from error
    return value


def _scan(text: bytes) -> None:
    """Bounds depth and node count without building anything: 1 MiB of brackets must cost nothing."""
    bare = _STRINGS.sub(b"", text)
    if bare.count(b"[") + bare.count(b"{") + bare.count(b",") > MAX_NODES:
        raise ProtocolError(f"JSON has more than {MAX_NODES} nodes")
    depth = 0
    for bracket in _NOT_BRACKETS.sub(b"", bare):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise ProtocolError(f"JSON is nested deeper than {MAX_DEPTH}")


def _unique_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ProtocolError("JSON object repeats a key")
    return result


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (value := int(digits)) < 2**63:
        raise ProtocolError("integer does not fit 64 bits")
    return value


def _finite_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ProtocolError("float is not finite")
    return value


def _no_constant(name: str) -> float:
    raise ProtocolError(f"{name} is not JSON")


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if len(value) > MAX_STRING:
            raise ProtocolError(f"string is longer than {MAX_STRING}")
        value.encode("utf-8")  # UnicodeEncodeError (a ValueError) for a lone surrogate
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_strings(key)
            _check_strings(item)
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)


def check_keys(value: Any, *, required: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Any]:
    """`value` if it is an object with exactly the keys that are allowed; ProtocolError otherwise."""
    if not isinstance(value, dict):
        raise ProtocolError("expected an object")
    needed = set(required)
    keys = set(value)
    if not needed <= keys <= needed | set(optional):
        raise ProtocolError(f"unexpected or missing keys: {sorted(keys ^ needed)[:5]}")
    return value


# --- tensor table -----------------------------------------------------------------------------------


def parse_table(body: bytes) -> dict[str, TensorInfo]:
    """The table of a safetensors body, checked: caps, dtypes, sizes, contiguous offsets, nothing trailing."""
    if len(body) < 8:
        raise ProtocolError("body is shorter than its own header")
    size = int.from_bytes(body[:8], "little")
    if size > MAX_TABLE_BYTES or 8 + size > len(body):
        raise ProtocolError(f"tensor table of {size} bytes is over the cap or the body")
    table = parse_json(body[8 : 8 + size])
    if not isinstance(table, dict) or not 1 <= len(table) <= MAX_TENSORS:
        raise ProtocolError(f"a body holds 1 to {MAX_TENSORS} tensors")
    infos = {name: _tensor_info(row) for name, row in table.items()}
    position = 0
    for info in sorted(infos.values(), key=lambda item: (item.start, item.stop)):
        if info.start != position:
            raise ProtocolError("tensor data has gaps or overlaps")
        position = info.stop
    if position != len(body) - 8 - size:
        raise ProtocolError("tensor data does not fill the body")
    return infos


def _tensor_info(row: Any) -> TensorInfo:
    check_keys(row, required=("dtype", "shape", "data_offsets"))
    dtype, shape, offsets = row["dtype"], row["shape"], row["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise ProtocolError("tensor dtype is not allowed")
    if not _is_sizes(shape) or len(shape) > MAX_DIMS or not _is_sizes(offsets) or len(offsets) != 2:
        raise ProtocolError("tensor shape or offsets are not sizes")
    if math.prod(shape) * ITEM_BYTES[dtype] != offsets[1] - offsets[0]:
        raise ProtocolError("tensor shape does not fit its data")
    return TensorInfo(dtype, tuple(shape), offsets[0], offsets[1])


def _is_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 2**40 for item in value)
