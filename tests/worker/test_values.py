"""Values cross the border and mean the same on the other side: torch in the sandbox, numpy with the judge."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from grader.judge.tensors import Numbers, ObjectRef, Tensor, read_body
from grader.worker.tensors import Objects, TooLarge
from grader.worker.values import MAX_PACK_DEPTH, Unpackable
from grader.worker.wire import ProtocolError, parse_table
from tests.worker.crossing import to_judge, to_sandbox

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | TEXT
VALUES = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(TEXT | st.integers(0, 9) | st.none(), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(left: Any, right: Any) -> bool:
    """Equal with equal types, NaN being itself and -0.0 not being 0.0."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return (math.isnan(left) and math.isnan(right)) or (left == right and str(left) == str(right))
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    return bool(left == right)


@given(VALUES)
def test_plain_values_reach_the_judge_unchanged(value: Any) -> None:
    assert same(to_judge(value), value)


@given(VALUES)
def test_plain_values_reach_the_sandbox_unchanged(value: Any) -> None:
    assert same(to_sandbox(value), value)


TORCH_DTYPES = {
    torch.float64: "float64", torch.float32: "float32", torch.float16: "float16", torch.bfloat16: "bfloat16",
    torch.int64: "int64", torch.int32: "int32", torch.int16: "int16", torch.int8: "int8", torch.uint8: "uint8",
    torch.bool: "bool",
}  # fmt: skip


@pytest.mark.parametrize("dtype", TORCH_DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (0, 5), (2, 0, 3), (1,) * 8], ids=str)
def test_tensors_of_all_kinds_reach_the_judge(dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    size = math.prod(shape)
    tensor = (torch.arange(size) % 3).reshape(shape).to(dtype)
    found = to_judge(tensor)
    assert isinstance(found, Tensor)
    assert found.dtype == TORCH_DTYPES[dtype]
    assert found.array.shape == shape
    assert found.array.dtype == ("float32" if dtype is torch.bfloat16 else TORCH_DTYPES[dtype])
    assert np.array_equal(found.array, tensor.float().numpy() if dtype is torch.bfloat16 else tensor.numpy())


def test_special_floats_in_tensors_come_through() -> None:
    for dtype in (torch.float64, torch.float32, torch.float16, torch.bfloat16):
        array = to_judge(torch.tensor([math.nan, math.inf, -math.inf, -0.0], dtype=dtype)).array
        assert math.isnan(array[0])
        assert array[1] == math.inf
        assert array[2] == -math.inf
        assert np.signbit(array[3])


def test_the_judge_owns_what_it_holds() -> None:
    array = to_judge(torch.ones(3)).array
    array[0] = 5.0
    assert type(array) is np.ndarray


def test_any_true_byte_of_a_bool_tensor_is_one() -> None:
    body = bytearray(safetensors_of(torch.tensor([True, True, False])))
    body[-3] = 255
    array = read_body(bytes(body), parse_table(bytes(body)))["a"].array
    assert array.view(np.uint8).tolist() == [1, 1, 0]


def safetensors_of(tensor: torch.Tensor) -> bytes:
    import safetensors.torch

    return safetensors.torch.save({"a": tensor})


class Marked(torch.Tensor):
    """A tensor subclass with opinions."""

    def __eq__(self, other: object) -> bool:  # type: ignore[override]  # hostile on purpose
        return True

    __hash__ = torch.Tensor.__hash__


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(2, 3).as_subclass(Marked),
        torch.nn.Parameter(torch.ones(2, 3)),
        torch.ones(2, 3, requires_grad=True) * 1,
        torch.ones(3, 2).t(),
        torch.ones(4, 6)[::2, ::2],
        torch.ones(1, 1).expand(2, 3),
        torch.ones(2, 3, dtype=torch.float32).conj(),
    ],
    ids=["subclass", "parameter", "with a graph", "transposed", "strided", "expanded", "conjugate"],
)
def test_dense_tensors_of_every_kind_arrive_plain(tensor: torch.Tensor) -> None:
    array = to_judge(tensor).array
    assert type(array) is np.ndarray
    assert np.array_equal(array, np.ones((2, 3), np.float32))


def test_tensors_that_share_memory_cross_as_two() -> None:
    whole = torch.arange(6.0)
    first, second = to_judge([whole, whole[2:4]])
    assert first.array.tolist() == [0, 1, 2, 3, 4, 5]
    assert second.array.tolist() == [2, 3]


ODD_TENSORS: dict[str, Callable[[], torch.Tensor]] = {
    "sparse": lambda: torch.ones(2, 2).to_sparse(),
    "compressed": lambda: torch.ones(2, 2).to_sparse_csr(),
    "meta": lambda: torch.empty(2, 2, device="meta"),
    "quantised": lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
    "complex": lambda: torch.ones(2, dtype=torch.complex64),
    "nine dimensions": lambda: torch.ones((1,) * 9),
}


@pytest.mark.parametrize("make", ODD_TENSORS.values(), ids=ODD_TENSORS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # torch's opinion of these kinds
def test_other_tensors_are_the_candidates_fault(make: Callable[[], torch.Tensor]) -> None:
    with pytest.raises(Unpackable):
        to_judge(make())


def test_an_expanded_view_counts_at_its_full_size() -> None:
    with pytest.raises(TooLarge):
        to_judge(torch.ones(1).expand(2**20))
    with pytest.raises(TooLarge):
        to_judge([torch.ones(1).expand(2**17)] * 3)
    assert to_judge(torch.ones(1).expand(2**18)).array.size == 2**18


def test_more_tensors_than_one_body_holds_are_the_candidates_fault() -> None:
    assert len(to_judge([torch.ones(1)] * 256)) == 256
    with pytest.raises(TooLarge):
        to_judge([torch.ones(1)] * 257)


@pytest.mark.parametrize(
    "value",
    [
        list(range(1000)),
        [0.5] * 1000,
        [1.0, 2] * 500,
        [[1.5, 2.5]] * 300,
        [[[1]] * 20] * 20,
        [math.nan, math.inf] * 200,
        [2**63 - 1] * 300,
    ],
    ids=["ints", "floats", "mixed", "matrix", "three deep", "not finite", "large"],
)
def test_long_lists_of_numbers_cross_as_numbers(value: list[Any]) -> None:
    for found in (to_judge(value), to_judge({"loss": value})["loss"], to_judge((1, value))[1]):
        assert isinstance(found, Numbers)
        assert np.array_equal(found.array, np.array(value), equal_nan=True)


@pytest.mark.parametrize(
    "value",
    [[*range(300), "x"], [True] * 300, [[1, 2]] * 200 + [[1]], [1, *([True] * 300)], [None] * 300, [*([1] * 300), 2.5]],
    ids=["a string", "bools", "ragged", "one number", "None", "one float"],
)
def test_other_long_lists_keep_their_meaning(value: list[Any]) -> None:
    found = to_judge(value)
    plain = found.array.tolist() if isinstance(found, Numbers) else found
    assert plain == value


def test_numpy_of_the_candidate_counts_as_its_torch_counterpart() -> None:
    assert same(to_judge([np.float32(0.5), np.int8(3), np.bool_(True), np.float64("nan")]), [0.5, 3, True, math.nan])
    assert to_judge(np.ones((2, 0), np.float16)).dtype == "float16"
    assert to_judge(np.arange(6)[::-2]).array.tolist() == [5, 3, 1]
    assert to_judge(np.array(7)).array.shape == ()


@pytest.mark.parametrize("value", [np.array(["a"]), np.array([object()]), np.array([1 + 2j]), np.datetime64("2020")])
def test_numpy_that_is_no_number_is_an_object(value: Any) -> None:
    assert isinstance(to_judge(value), ObjectRef)


class Number(int):
    """A subclass of a plain type is somebody's object."""


@pytest.mark.parametrize(
    "value",
    [object(), Number(3), {1.5: 2}, {(1, 2): 3}, {1, 2}, b"bytes", 1j, len, range(3)],
    ids=lambda value: type(value).__name__,
)
def test_everything_else_stays_in_its_process(value: Any) -> None:
    objects = Objects()
    found = to_judge(value, objects)
    assert isinstance(found, ObjectRef)
    assert objects.get(found.number) is value


def test_objects_come_back_as_themselves() -> None:
    objects, thing = Objects(), object()
    reference = to_judge([thing], objects)[0]

    class Holder:
        object_ref = reference

    assert to_sandbox([Holder()], objects)[0] is thing
    objects.drop(reference.number)
    with pytest.raises(ProtocolError):
        to_sandbox(Holder(), objects)


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: (v,), lambda v: {"k": v}], ids=["list", "tuple", "dict"])
def test_the_deepest_value_that_may_be_sent_arrives(wrap: Any) -> None:
    value: Any = torch.ones(1)
    for _ in range(MAX_PACK_DEPTH):
        value = wrap(value)
    assert to_judge(value)
    with pytest.raises(Unpackable):
        to_judge(wrap(value))


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 10**5000, "\ud800", "x" * 70_000, {"\udfff": 1}], ids=type)
def test_what_the_wire_cannot_carry_is_refused_where_it_is_made(value: Any) -> None:
    with pytest.raises(Unpackable):
        to_judge(value)
    with pytest.raises(Unpackable):
        to_sandbox(value)


def test_a_list_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(Unpackable):
        to_judge(loop)
