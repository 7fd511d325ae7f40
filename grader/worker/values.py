"""Values as JSON nodes: the same tags on both sides, with each side's own tensors and objects at the leaves.

null, bool, int, str, list        themselves
finite float                      itself; NaN and infinities {"$": "float", "v": "nan" | "inf" | "-inf"}
tuple, dict                       {"$": "tuple", "v": [...]}, {"$": "dict", "v": [[key, value], ...]}
tensor                            {"$": "tensor", "v": name in the body}
nested list of numbers            {"$": "numbers", "v": name in the body} where it is long or not finite
object of the candidate           {"$": "handle", "v": number}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from grader.worker.wire import MAX_STRING, Node, ProtocolError

MAX_PACK_DEPTH = 8
"""Nesting of candidate values; a dict costs three levels of JSON, of which wire.MAX_DEPTH allows 32."""

SPECIAL_FLOATS: Mapping[str, float] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class Unpackable(ValueError):
    """A value cannot be sent: too deep, or an integer beyond 64 bits."""


def tag(name: str, value: Any) -> Node:
    """A tagged node."""
    return {"$": name, "v": value}


def pack(value: Any, leaf: Callable[[Any], Node], depth: int = 0) -> Node:
    """The node of `value`; `leaf` makes the node of all that is neither a plain value nor a plain container.

    Containers and numbers are taken by exact type: a subclass is somebody's object, so it goes to `leaf`.
    """
    if depth > MAX_PACK_DEPTH:
        raise Unpackable("value is nested too deeply")
    kind = type(value)
    if kind in _PLAIN:
        return _PLAIN[kind](value)
    if kind is list:
        return [pack(item, leaf, depth + 1) for item in value]
    if kind is tuple:
        return tag("tuple", [pack(item, leaf, depth + 1) for item in value])
    if kind is dict and has_plain_keys(value):
        return tag("dict", [[pack(k, leaf, depth + 1), pack(v, leaf, depth + 1)] for k, v in value.items()])
    return leaf(value)


def has_plain_keys(value: dict[Any, Any]) -> bool:
    """True where all keys can cross; a dict with any other key is somebody's object."""
    return all(key is None or type(key) in (str, int, bool) for key in value)


def _pack_int(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise Unpackable("integer does not fit 64 bits")
    return value


def _pack_str(value: str) -> str:
    if len(value) > MAX_STRING or any("\ud800" <= character <= "\udfff" for character in value):
        raise Unpackable("string is too long or not Unicode")
    return value


def _pack_float(value: float) -> Node:
    return value if math.isfinite(value) else tag("float", str(value))


_PLAIN: Mapping[type, Callable[[Any], Node]] = {
    type(None): lambda value: value,
    bool: lambda value: value,
    str: _pack_str,
    int: _pack_int,
    float: _pack_float,
}


def unpack(node: Node, leaf: Callable[[str, Any], Any]) -> Any:
    """The value of `node`; `leaf(tag, payload)` makes tensors, numbers and handles. Raises ProtocolError."""
    if isinstance(node, list):
        return [unpack(item, leaf) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) != {"$", "v"} or not isinstance(node["$"], str):
        raise ProtocolError("an object in a value must be a tagged node")
    kind, payload = node["$"], node["v"]
    if kind == "float":
        return _special_float(payload)
    if kind == "tuple":
        return tuple(unpack(item, leaf) for item in _list(payload))
    if kind == "dict":
        return _unpack_dict(_list(payload), leaf)
    return leaf(kind, payload)


def _special_float(payload: Any) -> float:
    if not isinstance(payload, str) or payload not in SPECIAL_FLOATS:
        raise ProtocolError("unknown float")
    return SPECIAL_FLOATS[payload]


def _list(payload: Any) -> list[Any]:
    if not isinstance(payload, list):
        raise ProtocolError("a container's payload must be a list")
    return payload


def _unpack_dict(payload: list[Any], leaf: Callable[[str, Any], Any]) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for item in payload:
        if not isinstance(item, list) or len(item) != 2 or not isinstance(item[0], str | int | bool | None):
            raise ProtocolError("a dict is a list of [plain key, value] pairs")
        result[item[0]] = unpack(item[1], leaf)
    return result
