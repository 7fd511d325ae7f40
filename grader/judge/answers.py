"""What a call gave back, reachable only through accessors that check it.

A suite never holds a raw value of the candidate's, so no hostile or odd answer can make the suite's own
code fail: it fails the check, with a line that says what was expected and what came.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from grader.judge.faults import Mismatch
from grader.judge.tensors import Numbers, ObjectRef, Tensor

if TYPE_CHECKING:
    from grader.judge.proxy import Handle

Array = npt.NDArray[Any]
Shape = Sequence[int | None]

_FLOATING = {"float64", "float32", "float16", "bfloat16"}
_INTEGER = {"int64", "int32", "int16", "int8", "uint8"}
MAX_LIST = 100_000


class Answer:
    """The result of one call."""

    def __init__(self, value: Any, make_handle: Callable[[ObjectRef], Handle]) -> None:
        self._value = value
        self._make_handle = make_handle

    def tensor(
        self,
        *,
        shape: Shape | None = None,
        dtype: str = "any",
        what: str = "the result",
        finite: bool = True,
    ) -> Array:
        """The first tensor as a numpy array (float16 and bfloat16 widened to float32).

        Arrays and nested lists of numbers count as tensors. `None` in `shape` allows any size there. `dtype`: "any",
        "floating", "integer" or an exact name; numbers of a list fit either. Raises Mismatch.
        """
        found = _first_tensor(self._value)
        if found is None:
            raise Mismatch(f"{what}: expected a tensor, got {_describe(self._value)}")
        array = _with_dtype(found, dtype, what)
        if shape is not None and not _fits(array.shape, shape):
            raise Mismatch(f"{what}: expected shape {_show(shape)}, got {array.shape}")
        if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            raise Mismatch(f"{what}: holds NaN or infinity")
        return array

    def floats(self, key: str | None = None, *, what: str = "the list") -> list[float]:
        """A list of numbers, under `key` of a dict if one is given. NaN and infinity come through; raises Mismatch."""
        value = self._value
        if isinstance(value, tuple) and value and key is not None:
            value = next((item for item in value if isinstance(item, dict)), value)
        if key is not None:
            if not isinstance(value, dict) or key not in value:
                raise Mismatch(f"{what}: expected a dict with the key {key!r}, got {_describe(value)}")
            value = value[key]
        numbers = _list_of_floats(value)
        if numbers is None or len(numbers) > MAX_LIST:
            raise Mismatch(f"{what}: expected a list of numbers, got {_describe(value)}")
        return numbers

    def number(self, *, what: str = "the result") -> float:
        """One number; a tensor of one element counts. Raises Mismatch."""
        found = _one_number(self._value)
        if found is None:
            raise Mismatch(f"{what}: expected a number, got {_describe(self._value)}")
        return found

    def integer(self, *, what: str = "the result") -> int:
        """One whole number. Raises Mismatch."""
        found = self.number(what=what)
        if not np.isfinite(found) or found != int(found):
            raise Mismatch(f"{what}: expected a whole number, got {found}")
        return int(found)

    def handle(self, *, what: str = "the result") -> Handle:
        """The object that was returned (the first one of a tuple or list). Raises Mismatch."""
        value = self._value
        items = value if isinstance(value, tuple | list) else (value,)
        for item in items:
            if isinstance(item, ObjectRef):
                return self._make_handle(item)
        raise Mismatch(f"{what}: expected an object (an nn.Module for example), got {_describe(value)}")

    def item(self, index: int, *, what: str = "the result") -> Answer:
        """The item at `index` of a tuple or list, as an answer of its own. Raises Mismatch."""
        value = self._value
        if not isinstance(value, tuple | list) or not 0 <= index < len(value):
            raise Mismatch(f"{what}: expected a tuple of {index + 1} or more, got {_describe(value)}")
        return Answer(value[index], self._make_handle)

    def is_none(self) -> bool:
        """True where the call returned None."""
        return self._value is None

    def names(self) -> list[str]:
        """The strings of a list of strings (what `load` answers); others are left out."""
        value = self._value if isinstance(self._value, list) else []
        return [item for item in value if isinstance(item, str)]

    def tensors(self, *, what: str = "the result") -> dict[str, Array]:
        """A dict of name -> array. Raises Mismatch."""
        if not isinstance(self._value, dict):
            raise Mismatch(f"{what}: expected a dict of tensors, got {_describe(self._value)}")
        items = {str(k): v for k, v in self._value.items() if isinstance(v, Tensor)}
        return {name: item.array for name, item in items.items()}

    def field(self, name: str, *, what: str = "the result") -> float:
        """One number of a dict of plain numbers. Raises Mismatch."""
        value = self._value.get(name) if isinstance(self._value, dict) else None
        number = _one_number(value)
        if number is None:
            raise Mismatch(f"{what}: has no number {name}")
        return number

    def count(self, name: str, *, what: str = "the result") -> int:
        """One whole number, zero or more, of a dict of plain numbers. Raises Mismatch."""
        number = self.field(name, what=what)
        if not 0 <= number < math.inf or number != int(number):
            raise Mismatch(f"{what}: {name} is no count: {number}")
        return int(number)


def _first_tensor(value: Any) -> Tensor | Numbers | None:
    if isinstance(value, Tensor | Numbers):
        return value
    if isinstance(value, list) and (packed := _nested_numbers(value)) is not None:
        return packed
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return next((found for item in value if (found := _first_tensor(item)) is not None), None)
    return None


def _nested_numbers(value: list[Any]) -> Numbers | None:
    """A rectangular nested list of plain numbers as an array."""
    if not value or not _all_numbers(value):
        return None
    try:
        return Numbers(np.array(value))
    except ValueError:
        return None


def _all_numbers(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_all_numbers(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_dtype(found: Tensor | Numbers, dtype: str, what: str) -> Array:
    if isinstance(found, Numbers):
        return _numbers_as(found.array, dtype, what)
    allowed = {"any": None, "floating": _FLOATING, "integer": _INTEGER}.get(dtype, {dtype})
    if allowed is not None and found.dtype not in allowed:
        raise Mismatch(f"{what}: expected {dtype} values, got {found.dtype}")
    return found.array.astype(np.float32) if found.dtype == "float16" else found.array


def _numbers_as(array: Array, dtype: str, what: str) -> Array:
    """Numbers of a list have no dtype of their own: whole ones fit every dtype, others only floating ones."""
    if dtype == "any":
        return array
    if dtype in _INTEGER or dtype == "integer":
        if array.dtype.kind != "i":
            raise Mismatch(f"{what}: expected whole numbers, got a list of floats")
        return array.astype(np.int64)
    return array.astype(np.float32 if dtype == "float32" else np.float64)


def _fits(actual: tuple[int, ...], wanted: Shape) -> bool:
    return len(actual) == len(wanted) and all(w is None or a == w for a, w in zip(actual, wanted, strict=True))


def _show(shape: Shape) -> str:
    parts = ", ".join("any" if size is None else str(size) for size in shape)
    return f"({parts},)" if len(shape) == 1 else f"({parts})"


def _list_of_floats(value: Any) -> list[float] | None:
    if isinstance(value, Numbers | Tensor):
        flat = value.array
        return [float(item) for item in flat] if flat.ndim == 1 and flat.size <= MAX_LIST else None
    if not isinstance(value, list | tuple) or len(value) > MAX_LIST:
        return None
    numbers = [_one_number(item) for item in value]
    return None if any(item is None for item in numbers) else [item for item in numbers if item is not None]


def _one_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, Tensor) and value.array.size == 1:
        return float(value.array.reshape(-1)[0])
    return None


def _describe(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, Tensor):
        return f"a {value.dtype} tensor of shape {value.array.shape}"
    if isinstance(value, Numbers):
        return f"numbers of shape {value.array.shape}"
    if isinstance(value, ObjectRef):
        return "an object"
    if isinstance(value, list | tuple | dict):
        return f"a {type(value).__name__} of {len(value)}"
    return f"a {type(value).__name__}"
