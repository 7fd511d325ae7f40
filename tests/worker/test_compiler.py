"""A sandbox starts without torch's compiler, and nobody can tell but by the time it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.worker import compiler_cases

POSTPONED = {"warm_up", "trains", "trains_by_closure", "scripts", "looks_around", "is_not_mentioned"}
"""Cases that need no compiler."""


@pytest.fixture(scope="module")
def found() -> Any:
    """What each case came to."""
    command = [sys.executable, "-m", compiler_cases.__name__]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.parametrize("name", ["warm_up", *(function.__name__ for function in compiler_cases.CASES)])
def test_torch_works_as_ever(name: str, found: Any) -> None:
    error, postponed = found[name]
    assert error == ""
    assert postponed == (name in POSTPONED)
