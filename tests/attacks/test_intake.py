"""Hostile folders, archives and names: refused with a reason, within bounds, and nothing outside is read or written."""

from __future__ import annotations

import importlib.util
import json
import re
import time
import tracemalloc
from pathlib import Path

import pytest

from grader.errors import SubmissionRejected
from grader.intake.rules import MIB
from grader.model import ReportStatus
from grader.pipeline import Graded
from grader.reports.as_json import to_json
from grader.submission import load_submission
from tests.attacks.arena import Attack, attacks, control, run

BLOCK = attacks("intake")
PEAK_BYTES = 64 * MIB
REFUSED_S = 5.0


def made(attack: Attack, into: Path) -> Path:
    """The submission that an attack's make.py writes below `into`."""
    spec = importlib.util.spec_from_file_location("make", attack.folder / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = module.make(into)
    assert isinstance(path, Path)
    return path


def graded(path: Path) -> tuple[Graded, int, float]:
    """The grading, the most memory that it took at a time, and its CPU seconds."""
    tracemalloc.start()
    started = time.process_time()
    try:
        return run(path), tracemalloc.get_traced_memory()[1], time.process_time() - started
    finally:
        tracemalloc.stop()


def below(folder: Path) -> dict[str, int]:
    """Every path below a folder and around it, with its size."""
    return {str(path): path.lstat().st_size for path in sorted(folder.rglob("*"))}


@pytest.mark.parametrize("attack", BLOCK, ids=lambda attack: attack.folder.name)
def test_what_intake_must_not_take_is_refused(attack: Attack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "around" / "of" / "it"
    inner.mkdir(parents=True)
    path = made(attack, inner)
    monkeypatch.chdir(path if path.is_dir() and not path.is_symlink() else inner)
    before = below(tmp_path)
    found, peak, took = graded(path)
    record = json.dumps(to_json(found.report), ensure_ascii=False)
    assert found.report.score.earned == 0.0
    assert below(tmp_path) == before
    assert "root:" not in record
    assert "CANARY-OF-THE-HOST" not in record
    assert peak < PEAK_BYTES
    assert took < REFUSED_S
    if attack.must.get("missing"):
        assert found.report.status is ReportStatus.GRADED
        assert found.report.tasks[0].status == "missing"
        return
    assert found.report.status is ReportStatus.REJECTED
    assert isinstance(found.error, SubmissionRejected)
    assert re.search(attack.must["reason"], str(found.error))
    assert str(found.error).isprintable()
    assert found.report.run.attestation == {}, "no sandbox is started for it"


def test_the_control_is_read_as_before_whatever_was_refused(tmp_path: Path) -> None:
    path = control("correct", tmp_path)
    before = load_submission(path, ["vault"])
    for attack in BLOCK:
        inner = tmp_path / attack.folder.name
        inner.mkdir()
        run(made(attack, inner))
    assert load_submission(path, ["vault"]) == before
