"""Real sandboxes for the contract tests: one that a module's tests share, and one of a test's own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.sandbox.rig import Rig


@pytest.fixture(scope="module", params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    if request.param == "docker":
        request.getfixturevalue("sandbox_image")
    with Rig(request.param, f"test-contract-{os.getpid()}") as found:
        found.ready()
        yield found


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def fresh(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A sandbox of the test's own, which it may end."""
    if request.param == "docker":
        request.getfixturevalue("sandbox_image")
    with Rig(request.param, f"test-ends-{os.getpid()}") as found:
        found.ready()
        yield found
