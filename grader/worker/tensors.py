"""Values of the candidate's process as nodes and tensors: torch on this side of the wire.

What is neither a plain value nor a tensor becomes a handle: a number that stands for an object which
stays in this process.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.torch
import torch

from grader.worker.values import Unpackable, has_plain_keys, pack, tag, unpack
from grader.worker.wire import MAX_DIMS, MAX_TENSORS, Node, ProtocolError

LONG_LIST = 256
"""Nested lists of numbers with more elements than this cross as one tensor, which is smaller and faster."""

_SENDABLE = {
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
}


class TooLarge(ValueError):
    """An answer is larger than one frame may be."""


class Objects:
    """The objects of one process that have a handle."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._next = 1

    def add(self, value: Any) -> int:
        """A new handle for `value`."""
        self._objects[self._next] = value
        self._next += 1
        return self._next - 1

    def get(self, handle: Any) -> Any:
        """The object behind `handle`. Raises ProtocolError where there is none."""
        if not isinstance(handle, int) or handle not in self._objects:
            raise ProtocolError(f"no object has the handle {handle!r}")
        return self._objects[handle]

    def drop(self, handle: int) -> None:
        """Forgets an object."""
        self._objects.pop(handle, None)


class Packer:
    """Collects the tensors of one answer while its nodes are built."""

    def __init__(self, objects: Objects, max_body: int) -> None:
        self._objects = objects
        self._left = max_body
        self._tensors: dict[str, torch.Tensor] = {}

    def node(self, value: Any) -> Node:
        """The node of any value. Raises TooLarge or Unpackable."""
        return pack(_shorten(value, self), self.leaf)

    def leaf(self, value: Any) -> Node:
        """The node of a tensor, an array, a numpy scalar or an object."""
        if isinstance(value, Kept):
            return self._handle(value.value)
        if isinstance(value, PackedNumbers):
            return tag("numbers", self.add(value.tensor))
        if isinstance(value, np.generic):
            value = value.item() if value.dtype.kind in "biuf" else value
            return pack(value, self.leaf) if type(value) in (bool, int, float) else self._handle(value)
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, torch.Tensor):
            return tag("tensor", self.add(value))
        return self._handle(value)

    def add(self, tensor: torch.Tensor) -> str:
        """The name in the body of `tensor`, which is copied to contiguous memory on the CPU."""
        tensor = tensor.detach()
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            raise Unpackable("only dense tensors can be sent")
        if tensor.dtype not in _SENDABLE:
            raise Unpackable(f"tensors of {tensor.dtype} cannot be sent")
        if tensor.dim() > MAX_DIMS:
            raise Unpackable(f"tensors of more than {MAX_DIMS} dimensions cannot be sent")
        if len(self._tensors) == MAX_TENSORS:
            raise TooLarge(f"the answer holds more than {MAX_TENSORS} tensors")
        self._left -= tensor.numel() * tensor.element_size()
        if self._left < 0:
            raise TooLarge("the answer is larger than one frame may be")
        name = f"t{len(self._tensors)}"
        self._tensors[name] = torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor)
        return name

    def body(self) -> bytes:
        """The safetensors body; empty where no tensor was collected."""
        return safetensors.torch.save(self._tensors) if self._tensors else b""

    def _array(self, value: np.ndarray[Any, Any]) -> Node:
        if value.dtype.kind not in "biuf":
            return self._handle(value)
        return tag("tensor", self.add(torch.from_numpy(np.ascontiguousarray(value).copy()).reshape(value.shape)))

    def _handle(self, value: Any) -> Node:
        return tag("handle", self._objects.add(value))


class Kept:
    """A result that gets a handle as it is, also where it could cross as a plain value or container."""

    def __init__(self, value: Any) -> None:
        self.value = value


class PackedNumbers:
    """A nested list of numbers that crosses as a tensor and is a list of numbers again to the judge."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


def _shorten(value: Any, packer: Packer) -> Any:
    """`value` with its long rectangular lists of numbers replaced, at the top level and one below."""
    if type(value) is list:
        return _numbers(value) or value
    if type(value) is dict and has_plain_keys(value):
        return {key: _shorten(item, packer) if type(item) is list else item for key, item in value.items()}
    if type(value) is tuple:
        return tuple(_shorten(item, packer) if type(item) is list else item for item in value)
    return value


def _numbers(value: list[Any]) -> PackedNumbers | None:
    """The packed form of a long rectangular list of ints and floats; None where it is anything else."""
    shape: list[int] = []
    level: Any = value
    while type(level) is list and level and len(shape) < 8:
        shape.append(len(level))
        level = level[0]
    if math.prod(shape) <= LONG_LIST or type(level) not in (int, float):
        return None
    try:
        array = np.asarray(value)
    except (ValueError, OverflowError):
        return None
    if array.shape != tuple(shape) or array.dtype not in (np.float64, np.int64):
        return None
    return PackedNumbers(torch.from_numpy(array))


def unpack_values(node: Node, body: bytes, objects: Objects) -> Any:
    """The value of a node that the judge sent. Raises ProtocolError."""
    tensors: Mapping[str, torch.Tensor] = safetensors.torch.load(body) if body else {}

    def leaf(kind: str, payload: Any) -> Any:
        if kind == "tensor" and payload in tensors:
            return tensors[payload]
        if kind == "handle":
            return objects.get(payload)
        raise ProtocolError(f"unknown value {kind!r}")

    return unpack(node, leaf)
