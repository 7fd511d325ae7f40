"""Accessors of answers: any value of a candidate's gives what was asked for, or a Mismatch, and nothing else."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import pytest

from grader.judge.answers import Answer
from grader.judge.faults import Mismatch
from grader.judge.proxy import Handle
from grader.judge.tensors import Numbers, ObjectRef, Tensor


def answer(value: Any) -> Answer:
    return Answer(value, lambda reference: cast("Handle", f"handle {reference.number}"))


def tensor(value: Any, dtype: str = "float32") -> Tensor:
    return Tensor(dtype, np.asarray(value, dtype="float32" if dtype == "bfloat16" else dtype))


ODD: list[Any] = [
    None, True, 0, 2**63 - 1, -(2**63), math.nan, math.inf, -0.0, "", "text", [], (), {}, [[]], [[], []], [None], ["a"],
    [1, "a"], [[1], [2, 3]], [[1], 2], [math.nan], [True, False], (1, 2), {"loss": None}, {"loss": "x"}, {"loss": []},
    {None: 1, True: 2}, {"": {"": {}}}, ObjectRef(1), [ObjectRef(2)], (ObjectRef(3), 1), {"m": ObjectRef(4)},
    tensor([]), tensor([[], []]), tensor(1.0), tensor([math.nan]), tensor([math.inf, -math.inf]), tensor([1], "bool"),
    tensor([2**62], "int64"), tensor([1e38], "bfloat16"), tensor([6e4], "float16"), tensor([[1, 2]], "uint8"),
    [tensor(1.0), tensor(2.0)], (None, tensor([1.0])), {"loss": tensor([0.5, 0.25])}, {"loss": tensor([[0.5]])},
    Numbers(np.zeros((3, 2))), Numbers(np.zeros(0)), Numbers(np.array([True])), Numbers(np.array(math.nan)),
    {"loss": Numbers(np.array([1.0, math.nan]))}, [Numbers(np.ones(2, np.float16))], [[[[[[[[1]]]]]]]],
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda value: repr(value)[:40])
def test_no_value_can_make_an_accessor_fail_in_any_other_way(value: Any) -> None:
    found = answer(value)
    calls: list[Any] = [
        *[lambda d=d, s=s, f=f: found.tensor(dtype=d, shape=s, finite=f)
          for d in ("any", "floating", "integer", "float32", "float16", "int64", "int8", "bool")
          for s in (None, (), (2,), (None,), (None, 2), (3, None, 1)) for f in (True, False)],
        found.floats, lambda: found.floats("loss"), found.number, found.integer, found.handle, found.is_none,
        found.names, found.tensors, lambda: found.field("loss"), lambda: found.count("loss"),
    ]  # fmt: skip
    for call in calls:
        try:
            call()
        except Mismatch as mismatch:
            assert len(str(mismatch)) < 500


@pytest.mark.parametrize(
    ("value", "dtype", "kind"),
    [
        (tensor([[1.0]]), "floating", "f"),
        (tensor([[1.0]], "float64"), "floating", "f"),
        (tensor([[1.0]], "float16"), "floating", "f"),
        (tensor([[1.0]], "bfloat16"), "floating", "f"),
        (tensor([[1]], "int64"), "integer", "i"),
        (tensor([[1]], "uint8"), "integer", "u"),
        (tensor([[1]], "int64"), "int64", "i"),
        (tensor([[1]], "bool"), "any", "b"),
        ([[1]], "integer", "i"),
        ([[1]], "floating", "f"),
        ([[1.5]], "float32", "f"),
        (Numbers(np.array([[1]])), "int64", "i"),
    ],
)
def test_values_of_the_asked_kind_are_given(value: Any, dtype: str, kind: str) -> None:
    found = answer(value).tensor(shape=(1, 1), dtype=dtype)
    assert type(found) is np.ndarray
    assert found.dtype.kind == kind
    assert found.dtype != np.float16


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (tensor([1], "int64"), "floating"),
        (tensor([1.0]), "integer"),
        (tensor([1], "bool"), "integer"),
        (tensor([1], "bool"), "floating"),
        (tensor([1], "int32"), "int64"),
        (tensor([1.0], "float64"), "float32"),
        ([1.0], "integer"),
        ([True], "integer"),
        ([math.nan], "int64"),
        ("text", "any"),
        (None, "any"),
        (3, "any"),
        (ObjectRef(1), "any"),
        ([], "any"),
        (["1"], "any"),
    ],
)
def test_values_of_another_kind_are_refused(value: Any, dtype: str) -> None:
    with pytest.raises(Mismatch):
        answer(value).tensor(dtype=dtype)


@pytest.mark.parametrize("shape", [(), (2,), (3, 2), (2, 3, 1), (None,), (None, 2), (6,)], ids=str)
def test_a_wrong_shape_is_refused_and_nothing_broadcasts(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(Mismatch, match="shape"):
        answer(tensor(np.zeros((2, 3)))).tensor(shape=shape)
    assert answer(tensor(np.zeros((2, 3)))).tensor(shape=(None, 3)).shape == (2, 3)


def test_values_that_are_not_finite_pass_only_where_the_suite_says_so() -> None:
    for bad in (math.nan, math.inf, -math.inf):
        for dtype in ("float64", "float16", "bfloat16"):
            with pytest.raises(Mismatch, match="NaN or infinity"):
                answer(tensor([1.0, bad], dtype)).tensor()
        with pytest.raises(Mismatch):
            answer([1.0, bad]).tensor()
        assert not np.isfinite(answer(tensor([bad])).tensor(finite=False)).any()


def test_the_first_tensor_counts() -> None:
    one, two = tensor([1.0]), tensor([2.0])
    for value in ([one, two], (one, two), {"a": one, "b": two}, (None, {"x": [one]}, two), ("text", one)):
        assert answer(value).tensor().tolist() == [1.0]


def test_losses_are_found_where_people_put_them() -> None:
    for value in (
        {"loss": [1, 0.5]},
        {"loss": (1.0, 0.5)},
        {"loss": tensor([1.0, 0.5])},
        {"loss": Numbers(np.array([1, 0.5]))},
        {"loss": [tensor(1.0), tensor([0.5])], "more": None},
        (ObjectRef(1), {"loss": [1, 0.5]}),
    ):
        assert answer(value).floats("loss") == [1.0, 0.5]
    assert answer([1, 0.5]).floats() == [1.0, 0.5]


@pytest.mark.parametrize(
    "value",
    [None, [1.0], {}, {"Loss": [1.0]}, {"loss": 1.0}, {"loss": [True]}, {"loss": ["1"]}, {"loss": [None]},
     {"loss": [[1.0]]}, {"loss": tensor([[1.0]])}, {"loss": tensor(1.0)}, {"loss": [tensor([1.0, 2.0])]},
     {"loss": ObjectRef(1)}, {"loss": {"0": 1.0}}],
    ids=repr,
)  # fmt: skip
def test_what_is_no_list_of_losses_is_refused(value: Any) -> None:
    with pytest.raises(Mismatch):
        answer(value).floats("loss")


def test_a_list_longer_than_any_training_is_refused() -> None:
    with pytest.raises(Mismatch):
        answer(tensor(np.zeros(100_001))).floats()


def test_numbers_and_whole_numbers() -> None:
    assert answer(tensor([[3.0]])).integer() == 3
    assert answer(3).number() == 3.0
    assert answer(2**53).integer() == 2**53
    for value in (True, "3", None, [3], tensor([1.0, 2.0]), tensor([]), ObjectRef(3)):
        with pytest.raises(Mismatch):
            answer(value).number()
    for odd_number in (3.5, math.nan, math.inf, tensor(-math.inf)):
        with pytest.raises(Mismatch):
            answer(odd_number).integer()


@pytest.mark.parametrize("value", [math.nan, math.inf, -1, 0.5, None, "3", tensor([1.0, 2.0])], ids=str)
def test_a_forged_count_fails_the_check_and_not_the_suite(value: Any) -> None:
    with pytest.raises(Mismatch):
        answer({"count": value}).count("count")


def test_the_object_is_taken_out_of_a_tuple() -> None:
    for value in (ObjectRef(5), (ObjectRef(5), ObjectRef(6)), [1, ObjectRef(5)]):
        assert cast("str", answer(value).handle()) == "handle 5"
    odd: Any
    for odd in (None, 1, "model", tensor([1.0]), [], {}):
        with pytest.raises(Mismatch, match="expected an object"):
            answer(odd).handle()
