"""Whatever a session prints, returns or writes on its socket, the judge's memory grows by 64 MiB at most."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from grader.judge.faults import CandidateFault, Mismatch
from tests.attacks.arena import HELPERS, TOOLS, Attack, attacks
from tests.sandbox.rig import Rig

GROWTH_BYTES = 64 * 1024**2
LOUD = ("flood", "flood_after_the_answer", "huge_message", "memory")
BLOCK = [
    attack
    for attack in [*attacks("answers"), *(row for row in attacks("limits") if row.folder.name in LOUD)]
    if attack.folder.name != "bytes_one_by_one"  # slow, and small
]


@pytest.fixture(scope="module")
def rig(sandbox_image: str) -> Iterator[Rig]:
    """One sandbox with all of them, each in a folder of its own."""
    files = {name: (HELPERS / name).read_bytes() for name in TOOLS}
    for attack in BLOCK:
        files[f"{attack.folder.name}/vault.py"] = (attack.folder / "submission" / "vault.py").read_bytes()
    with Rig("docker", f"test-output-{os.getpid()}", files) as found:
        found.ready()
        yield found


def most_bytes() -> int:
    """The most memory that this process held since `forget_most`."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def forget_most() -> None:
    Path("/proc/self/clear_refs").write_text("5")


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("attack", BLOCK, ids=lambda attack: attack.folder.name)
def test_hostile_output_costs_the_judge_little(rig: Rig, attack: Attack) -> None:
    forget_most()
    before = most_bytes()
    with contextlib.suppress(CandidateFault), rig.opened(f"{attack.folder.name}/vault.py") as candidate:
        with contextlib.suppress(CandidateFault, Mismatch):
            candidate.call("rows", np.ones((3, 4), np.int64)).tensor(shape=(3, 4))
        with contextlib.suppress(CandidateFault, Mismatch):
            candidate.call("code", 0).integer()
    rig.take_output()
    assert most_bytes() - before < GROWTH_BYTES
