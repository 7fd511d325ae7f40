"""Hostile code, each in a container of its own: no point, no secret, no harm, and the controls score as ever."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.attacks.arena import CONTROLS, DATA, attacks, fight, lateness, problems

BLOCKS = (("verdict", "shown"), ("server", "answers"), ("judge", "notebook"), ("limits",))
"""Each block has the controls before and after it."""
CLASSES = (
    1, 2, 3, 5, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 27, 29, 30, 32, 36, 40, 41, 43, 44, 45,
    46, 47, 51, 53, 54, 55, 57, 58, 59, 61, 62, 63, 64, 66, 67, 68, 69, 70, 73, 74, 75, 76,
)  # fmt: skip
"""The classes of known attacks, as docs/security.md lists them."""
LATE_S = 3.0
"""How long after a deadline what hangs may live."""


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("groups", BLOCKS, ids=" and ".join)
def test_no_attack_gets_more_than_it_earns(
    groups: tuple[str, ...], tmp_path: Path, sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    block = [attack for group in groups for attack in attacks(group)]
    fought = fight(block, tmp_path)
    found = {attack.name: problems(attack, fought.got[attack.name]) for attack in block}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert fought.before == fought.after == CONTROLS
    assert fought.left == []
    late = [row for graded in fought.got.values() for row in lateness(graded)]
    print(f"{len(block)} attacks, latest ends after a deadline: {sorted(late)[-3:]}")  # noqa: T201 - a figure to report
    assert not late or max(late) < LATE_S
    assert list(scratch.iterdir()) == []


def test_there_are_enough_attacks_and_every_class_has_some() -> None:
    groups = {path.parent.parent.name for path in DATA.glob("*/*/attack.toml")}
    assert {group for block in BLOCKS for group in block} | {"intake", "written"} == groups
    every = [attack for group in groups for attack in attacks(group)]
    assert len(every) >= 80
    assert len({attack.tries for attack in every}) == len(every), "each tries something of its own"
    assert {f"A{number:02}" for number in CLASSES} <= {attack.kind for attack in every}
