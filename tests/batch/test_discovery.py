"""Which submissions a folder holds, and what stops a batch before it starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.batch.discovery import find_submissions
from grader.errors import UsageError

TASKS = ["cnn_classifier", "gan"]


def test_folders_archives_and_single_files_are_submissions(make_folder: Callable[..., Path]) -> None:
    names = ["bo.zip", "cy.tar.gz", "di.py", "ed.ipynb", "README.md", "notes.txt", ".git/config", "ada/gan.py"]
    root = make_folder("in", dict.fromkeys(names, b""))
    found, others = find_submissions(root, TASKS)
    assert [one.id for one in found] == ["ada", "bo", "cy", "di", "ed"]
    assert others == ["README.md", "notes.txt"]


@pytest.mark.parametrize("names", [("ada/gan.py", "ada.zip"), ("ada.zip", "ADA.tar.gz"), ("Ada/gan.py", "ada/gan.py")])
def test_two_submissions_with_one_id_stop_the_batch_and_both_are_named(
    make_folder: Callable[..., Path], names: tuple[str, str]
) -> None:
    root = make_folder("in", dict.fromkeys(names, b""))
    with pytest.raises(UsageError) as caught:
        find_submissions(root, TASKS)
    for name in names:
        assert repr(name.replace("/gan.py", "/")) in str(caught.value)


@pytest.mark.parametrize(
    "name", ["index.html/gan.py", "Summary.csv/gan.py", "store.sqlite/gan.py", "con.py", "NUL.zip"]
)
def test_a_reserved_name_stops_the_batch(make_folder: Callable[..., Path], name: str) -> None:
    with pytest.raises(UsageError, match="reserved"):
        find_submissions(make_folder("in", {name: b"", "ada/gan.py": b""}), TASKS)


def test_a_name_outside_the_rules_gets_an_id_of_its_own(make_folder: Callable[..., Path]) -> None:
    found, _ = find_submissions(make_folder("in", {"王 小明/gan.py": b"", "李雷/gan.py": b""}), TASKS)
    assert len({one.id for one in found}) == 2
    assert all(one.id.startswith("submission-") for one in found)


@pytest.mark.parametrize("name", ["gan.py", "submission.ipynb", "submission.toml"])
def test_a_folder_that_is_itself_a_submission_is_told_apart(make_folder: Callable[..., Path], name: str) -> None:
    with pytest.raises(UsageError, match="itself a submission"):
        find_submissions(make_folder("in", {name: b""}), TASKS)


def test_an_empty_or_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no submissions"):
        find_submissions(tmp_path, TASKS)
    with pytest.raises(UsageError, match="cannot read"):
        find_submissions(tmp_path / "none", TASKS)


def test_reports_in_the_folder_are_no_submission_and_may_not_be_the_folder(make_folder: Callable[..., Path]) -> None:
    root = make_folder("in", {"ada/gan.py": b"", "out/ada/report.json": b"{}"})
    found, _ = find_submissions(root, TASKS, root / "out")
    assert [one.id for one in found] == ["ada"]
    with pytest.raises(UsageError, match="DIR and OUT at once"):
        find_submissions(root, TASKS, root / "out" / "..")
