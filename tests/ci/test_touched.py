"""Which submissions a change touches, and what makes it refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.ci.git import Change
from grader.ci.touched import find_single, find_touched, refuse_own_tests
from grader.errors import UsageError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A working tree with submissions of every form."""
    tree = tmp_path / "tree"
    for name in (
        "s/ada/toy.py",
        "s/bo.zip",
        "s/cy.py",
        "s/README.md",
        "s/.hidden/x.py",
        "s/dee/sub/x.py",
        "other/x.py",
    ):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tree


def changed(root: Path, *paths: str) -> Change:
    return Change(root=root, paths=paths)


def test_folders_archives_and_single_files_are_submissions_and_nothing_else(root: Path) -> None:
    paths = (
        "s/ada/toy.py",
        "s/ada/x.md",
        "s/bo.zip",
        "s/cy.py",
        "s/README.md",
        "s/.hidden/x.py",
        "s/dee/sub/x.py",
        "other/x.py",
    )
    found = find_touched(changed(root, *paths), "s", ["toy"])
    assert [(one.id, one.path, one.is_folder) for one in found.touched] == [
        ("ada", "s/ada", True), ("bo", "s/bo.zip", False), ("cy", "s/cy.py", False), ("dee", "s/dee", True),
    ]  # fmt: skip
    assert found.removed == ()


def test_what_is_gone_is_told_and_not_graded(root: Path) -> None:
    found = find_touched(changed(root, "s/old/toy.py", "s/old2.zip"), "s", ["toy"])
    assert (found.touched, found.removed) == ((), ("s/old", "s/old2.zip"))


def test_a_change_elsewhere_touches_nothing(root: Path) -> None:
    assert find_touched(changed(root, "other/x.py", "sx/ada/toy.py", "s"), "s", ["toy"]).touched == ()


def test_a_name_outside_the_rules_gets_an_id_of_ours(root: Path) -> None:
    (root / "s" / "a\nb").mkdir()
    (one,) = find_touched(changed(root, "s/a\nb/x.py"), "s", []).touched
    assert one.id.startswith("submission-")


def test_two_submissions_of_one_id_are_refused(root: Path) -> None:
    (root / "s" / "ADA.zip").write_text("x")
    with pytest.raises(UsageError, match="both submissions with the id"):
        find_touched(changed(root, "s/ada/toy.py", "s/ADA.zip"), "s", ["toy"])


def test_an_id_that_names_a_file_of_ours_is_refused(root: Path) -> None:
    (root / "s" / "store.sqlite").mkdir()
    with pytest.raises(UsageError, match="is reserved"):
        find_touched(changed(root, "s/store.sqlite/toy.py"), "s", ["toy"])


@pytest.mark.parametrize("folder", ["/etc", "../x", "s/../.."])
def test_a_folder_outside_the_repository_is_refused(root: Path, folder: str) -> None:
    with pytest.raises(UsageError, match="not in the repository"):
        find_touched(changed(root), folder, [])


def test_a_folder_of_submissions_that_became_a_link_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret" / "ada").mkdir(parents=True)
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "deep").mkdir()
    (root / "deep" / "link").symlink_to(tmp_path)
    for folder in ("link", "deep/link/secret"):
        with pytest.raises(UsageError, match="is a link"):
            find_touched(changed(root, f"{folder}/ada/x.py"), folder, [])


def test_the_whole_repository_may_be_one_submission(root: Path) -> None:
    (one,) = find_single(changed(root, "other/x.py"), ".", ["toy"]).touched
    assert (one.id, one.path) == ("tree", ".")
    (one,) = find_single(changed(root, "s/ada/toy.py"), "s/ada", ["toy"]).touched
    assert (one.id, one.path) == ("ada", "s/ada")
    assert find_single(changed(root, "s/adam/toy.py"), "s/ada", ["toy"]).touched == ()
    assert find_single(changed(root, "s/cy.py"), "s/cy.py", ["toy"]).touched[0].is_folder is False
    assert find_single(changed(root, "s/old/toy.py"), "s/old", ["toy"]).removed == ("s/old",)


def test_a_change_of_the_tasks_by_which_it_would_be_graded_is_refused(root: Path, tmp_path: Path) -> None:
    change = changed(root, "tasks/toy/hidden/test_toy.py")
    with pytest.raises(UsageError, match="by which it would be graded"):
        refuse_own_tests(change, root / "tasks")
    refuse_own_tests(change, tmp_path / "tasks")
    refuse_own_tests(changed(root, "tasks2/x"), root / "tasks")
