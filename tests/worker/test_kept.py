"""A result that a suite keeps whole gets a handle, also where it could cross as a plain value."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grader.worker.tensors import Kept, Objects, Packer


@pytest.mark.parametrize("value", [{"G": torch.nn.Linear(1, 1), "steps": 0}, (1, 2), [1.0] * 1000, 7, "model", {}])
def test_a_kept_result_stays_whole(value: Any) -> None:
    objects = Objects()
    packer = Packer(objects, 1000)
    assert packer.node(Kept(value)) == {"$": "handle", "v": 1}
    assert packer.body() == b""
    assert objects.get(1) is value
