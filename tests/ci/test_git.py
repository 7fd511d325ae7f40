"""What a change touches: from the commits alone, whatever the repository's settings and names would like to run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from grader.ci.git import read_change
from grader.errors import UsageError
from tests.ci.repos import commit, git, repository

BASE = {"submissions/ada/toy.py": "a\n", "submissions/bo/toy.py": "b\n", "README.md": "r\n"}


def test_only_what_the_branch_did_is_the_change(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", BASE, {"submissions/ada/toy.py": "a2\n", "submissions/bo/toy.py": None})
    change = read_change(root / "submissions", "main")
    assert change.root == root
    assert change.paths == ("submissions/ada/toy.py", "submissions/bo/toy.py")  # not submissions/late, of main


def test_a_rename_touches_both_places(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", BASE, {"submissions/ada/toy.py": None, "submissions/ada2/toy.py": "a\n"})
    assert read_change(root, "main").paths == ("submissions/ada/toy.py", "submissions/ada2/toy.py")


def test_hostile_names_come_whole(tmp_path: Path) -> None:
    names = ['submissions/a\nb"\\/x.py', "submissions/-rf/x.py", "submissions/::error::x", "submissions/ü/x.py"]
    root = repository(tmp_path / "r", BASE, dict.fromkeys(names, "x\n"))
    assert read_change(root, "main").paths == tuple(sorted(names))
    (root / "submissions" / os.fsdecode(b"\xff\xfe.py")).write_text("x")
    commit(root, {})
    assert os.fsencode(read_change(root, "main").paths[-1]) == b"submissions/\xff\xfe.py"


def test_nothing_that_the_repository_names_is_run(tmp_path: Path) -> None:
    root = repository(
        tmp_path / "r", BASE, {".gitattributes": "*.py diff=evil filter=evil\n", "submissions/ada/toy.py": "z"}
    )
    proof = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {proof}\n")
    script.chmod(0o755)
    settings = (
        "diff.external", "diff.evil.command", "diff.evil.textconv", "core.fsmonitor", "core.pager", "filter.evil.clean",
        "core.sshCommand", "credential.helper",
    )  # fmt: skip
    for name in settings:
        git(root, "config", name, str(script))
    hooks = root / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).write_text(script.read_text())
        (hooks / name).chmod(0o755)
    assert "submissions/ada/toy.py" in read_change(root, "main").paths
    assert not proof.exists()


def test_the_environment_does_not_redirect_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "r", BASE, {"submissions/ada/toy.py": "z\n"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "/bin/false")
    assert read_change(root, "main").paths == ("submissions/ada/toy.py",)


@pytest.mark.parametrize("name", ["", "--output=/tmp/x", "-h", "nowhere", "main..feature", "a\nb", "HEAD:README.md"])
def test_what_names_no_commit_is_refused(tmp_path: Path, name: str) -> None:
    root = repository(tmp_path / "r", BASE, {"x": "x\n"})
    with pytest.raises(UsageError, match="no name of a commit|has no commit"):
        read_change(root, name)


def test_a_shallow_clone_says_what_to_fetch(tmp_path: Path) -> None:
    root = repository(tmp_path / "r", BASE, {"x": "x\n"})
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=feature", f"file://{root}", str(shallow))
    git(shallow, "fetch", "--quiet", "--depth=1", "origin", "main:main")
    with pytest.raises(UsageError, match="shallow.*fetch-depth: 0"):
        read_change(shallow, "main")


def test_no_repository_and_no_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        read_change(tmp_path, "main")
    with pytest.raises(UsageError, match="there is no folder"):
        read_change(tmp_path / "none", "main")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_repository_of_another_user_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "r", BASE, {"x": "x\n"})
    subprocess.run(["chown", "-R", "65534:65534", str(root)], check=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SUDO_UID", raising=False)
    with pytest.raises(UsageError, match="another user owns it.*safe.directory"):
        read_change(root, "main")
