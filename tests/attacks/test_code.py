"""Hostile code, each in a container of its own: no point, no secret, no harm, and the controls score as ever."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.attacks.arena import CONTROLS, attacks, fight, problems

GROUPS = (("verdict", "shown"), ("server", "answers"), ("judge", "notebook"), ("limits",))


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_no_attack_gets_more_than_it_earns(
    group: str, tmp_path: Path, sandbox_image: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    block = attacks(group)
    fought = fight(block, tmp_path)
    found = {attack.name: problems(attack, fought.got[attack.name]) for attack in block}
    assert {name: lines for name, lines in found.items() if lines} == {}
    assert fought.before == fought.after == CONTROLS
    assert fought.left == []
    assert list(scratch.iterdir()) == []
