"""Artifacts lie beside their report, and the report names only what is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.model import Artifact, Report
from grader.reports.artifacts import save
from grader.reports.as_json import read_report
from tests.samples import full_report

FILES = {"toy/loss.svg": b"<svg/>", "toy/samples.png": b"png"}


def report() -> Report:
    rows = tuple(
        Artifact(name=name, media_type="x/y", path=path)
        for name, path in (("loss", "toy/loss.svg"), ("samples", "toy/samples.png"), ("lost", "toy/lost.svg"))
    )
    whole = full_report()
    return replace(whole, tasks=(replace(whole.tasks[0], artifacts=rows),))


def test_every_path_of_a_report_leads_to_its_file(tmp_path: Path) -> None:
    path = tmp_path / "out" / "report.json"
    kept = save(report(), FILES, path)
    rows = read_report(path).tasks[0].artifacts
    assert rows == kept.tasks[0].artifacts
    assert {(path.parent / row.path).read_bytes() for row in rows} == set(FILES.values())
    assert [row.path for row in rows] == ["artifacts/toy/loss.svg", "artifacts/toy/samples.png"]


def test_reports_may_share_a_folder(tmp_path: Path) -> None:
    for name in ("ada", "bob"):
        save(report(), {path: name.encode() + content for path, content in FILES.items()}, tmp_path / f"{name}.json")
    row = read_report(tmp_path / "ada.json").tasks[0].artifacts[0]
    assert (tmp_path / row.path).read_bytes() == b"ada<svg/>"


def test_nothing_is_written_beside_a_device() -> None:
    kept = save(report(), FILES, Path("/dev/null"))
    assert kept.tasks[0].artifacts == ()
    assert not Path("/dev/null.artifacts").exists()
