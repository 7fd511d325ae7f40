"""Hidden tasks may come from an installed package, where its name is given and not before."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from grader.commands.options import settings_from
from grader.errors import UsageError
from grader.installed import tasks_of
from grader.scaffold import new_task
from grader.task import load_tasks


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path in which the package `acme_interviews` is installed, with one task."""
    root = tmp_path / "site"
    new_task("scaler", root / "acme_interviews")
    (root / "acme_interviews" / "__init__.py").write_text("raise RuntimeError('nobody asked for my code')\n")
    about = root / "acme_interviews-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-interviews\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[grader.tasks]\nacme = acme_interviews\nbad = no_such_package\n")
    monkeypatch.setattr(sys, "path", [str(root), *sys.path])
    return root


def test_a_package_is_found_by_its_name_and_its_code_is_not_run(site: Path) -> None:
    folder = tasks_of("acme")
    assert folder == site / "acme_interviews" / "tasks"
    assert list(load_tasks(folder)) == ["scaler"]
    assert "acme_interviews" not in sys.modules


def test_tasks_may_lie_in_the_package_itself(site: Path) -> None:
    shutil.move(site / "acme_interviews" / "tasks" / "scaler", site / "acme_interviews" / "scaler")
    (site / "acme_interviews" / "tasks").rmdir()
    assert list(load_tasks(tasks_of("acme"))) == ["scaler"]


def test_the_flag_is_another_way_to_name_the_folder(site: Path) -> None:
    assert settings_from(None, {"tasks_package": "acme"}).tasks_dir == site / "acme_interviews" / "tasks"
    with pytest.raises(UsageError, match="both name the tasks"):
        settings_from(None, {"tasks_package": "acme", "tasks_dir": "tasks"})


@pytest.mark.parametrize(("name", "said"), [("acem", "installed: acme, bad"), ("bad", "is no package with a folder")])
def test_what_cannot_be_found_is_said(site: Path, name: str, said: str) -> None:
    with pytest.raises(UsageError) as error:
        tasks_of(name)
    assert said in str(error.value)
