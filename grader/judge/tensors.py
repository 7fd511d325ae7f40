"""Tensors on the trusted side: plain numpy copies of what crossed the wire, and nothing else.

The table of a body was checked by `wire`; here the library reads it, and every exception it has is a
protocol error. bfloat16, which numpy lacks, is widened to float32 and remembered by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from grader.worker.values import pack, tag
from grader.worker.wire import Node, ProtocolError, TensorInfo

DTYPES: Mapping[str, str] = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor of the candidate's: its dtype by torch's name, and its values."""

    dtype: str
    array: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Numbers:
    """A nested list of numbers of the candidate's."""

    array: npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object that stayed in the candidate's process."""

    number: int


def read_body(body: bytes, table: Mapping[str, TensorInfo]) -> dict[str, Tensor]:
    """The tensors of a checked body. Raises ProtocolError."""
    if not body:
        return {}
    try:
        rows = dict(safetensors.deserialize(body))  # type: ignore[no-untyped-call]  # the library has no types
        return {name: _tensor(rows[name], info) for name, info in table.items()}
    except Exception as error:  # the library's own errors, numpy's, MemoryError: all mean the same here
        raise ProtocolError(f"tensor body cannot be read: {type(error).__name__}") from error


def _tensor(row: Mapping[str, Any], info: TensorInfo) -> Tensor:
    name = DTYPES[info.dtype]
    if name == "bfloat16":
        wide = np.frombuffer(row["data"], dtype="<u2").astype(np.uint32) << 16
        return Tensor(name, wide.view(np.float32).reshape(info.shape))
    if name == "bool":  # any byte but 0 is True; numpy would keep a 255 as it is
        return Tensor(name, np.frombuffer(row["data"], dtype=np.uint8).reshape(info.shape) != 0)
    dtype = np.dtype(name).newbyteorder("<")
    return Tensor(name, np.frombuffer(row["data"], dtype=dtype).reshape(info.shape).astype(name))


class ArgumentPacker:
    """Collects the arrays among a call's arguments while their nodes are built."""

    def __init__(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def node(self, value: Any) -> Node:
        """The node of an argument: plain values, containers, arrays, and objects that have an `object_ref`."""
        return pack(value, self._leaf)

    def body(self) -> bytes:
        """The safetensors body; empty without arrays."""
        return safetensors.numpy.save(self._arrays) if self._arrays else b""

    def _leaf(self, value: Any) -> Node:
        if isinstance(value, np.generic):
            return pack(value.item(), self._leaf)
        if isinstance(value, np.ndarray):
            name = f"t{len(self._arrays)}"
            self._arrays[name] = np.array(value, order="C")
            return tag("tensor", name)
        reference = getattr(value, "object_ref", None)
        if isinstance(reference, ObjectRef):
            return tag("handle", reference.number)
        raise TypeError(f"a suite cannot send {type(value).__name__}")


def leaf_reader(tensors: Mapping[str, Tensor]) -> Any:
    """The function that turns leaf nodes of an answer into Tensor, Numbers and ObjectRef."""

    def leaf(kind: str, payload: Any) -> Any:
        if kind == "tensor" and isinstance(payload, str) and payload in tensors:
            return tensors[payload]
        if kind == "numbers" and isinstance(payload, str) and payload in tensors:
            return Numbers(tensors[payload].array)
        if kind == "handle" and type(payload) is int and payload > 0:
            return ObjectRef(payload)
        raise ProtocolError("unknown value in an answer")

    return leaf
