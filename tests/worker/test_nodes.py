"""What a suite sends, and nodes that nobody understands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from grader.judge.tensors import Tensor, leaf_reader
from grader.worker.values import unpack
from grader.worker.wire import ProtocolError
from tests.worker.crossing import to_sandbox


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
def test_arrays_of_a_suite_arrive_as_tensors(dtype: str, shape: tuple[int, ...]) -> None:
    array = np.ones(shape, dtype)
    found = to_sandbox({"x": [array]})["x"][0]
    assert isinstance(found, torch.Tensor)
    assert str(found.dtype) == f"torch.{dtype}"
    assert np.array_equal(found.numpy(), array)


def test_views_of_a_suite_arrive_whole() -> None:
    assert to_sandbox(np.arange(6).reshape(2, 3)[:, ::-1]).tolist() == [[2, 1, 0], [5, 4, 3]]
    assert to_sandbox(np.float32(0.5)) == 0.5


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x"], ids=lambda value: type(value).__name__)
def test_a_suite_cannot_send_what_is_no_value(value: Any) -> None:
    with pytest.raises(TypeError, match="cannot send"):
        to_sandbox(value)


@pytest.mark.parametrize(
    "node",
    [
        {"$": "tensor", "v": "t9"},
        {"$": "tensor", "v": 1},
        {"$": "tensor", "v": None},
        {"$": "numbers", "v": ["t0"]},
        {"$": "handle", "v": 0},
        {"$": "handle", "v": -1},
        {"$": "handle", "v": True},
        {"$": "handle", "v": 1.0},
        {"$": "handle", "v": "1"},
        {"$": "float", "v": "NaN"},
        {"$": "float", "v": 1},
        {"$": "float", "v": []},
        {"$": "tuple", "v": "ab"},
        {"$": "tuple", "v": None},
        {"$": "dict", "v": {}},
        {"$": "dict", "v": [["a"]]},
        {"$": "dict", "v": [["a", 1, 2]]},
        {"$": "dict", "v": [[["a"], 1]]},
        {"$": "dict", "v": [[1.5, 1]]},
        {"$": "dict", "v": [{"$": "tuple", "v": []}]},
        {"$": "pickle", "v": "gASVAAAA"},
        {"$": "__reduce__", "v": ["os.system", "true"]},
        {"$": 1, "v": 1},
        {"$": None, "v": 1},
        {"$": "tuple"},
        {"v": []},
        {},
        {"a": 1},
        {"$": "tuple", "v": [], "x": 1},
    ],
    ids=str,
)
def test_an_unknown_node_is_refused(node: Any) -> None:
    with pytest.raises(ProtocolError):
        unpack([node], leaf_reader({"t0": Tensor("float32", np.ones(1, np.float32))}))
