"""Writes leave the old file or the new one, and never a device replaced by a file."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from grader.atomic import cannot_write, write_bytes, write_text
from grader.errors import UsageError


def test_writes_and_makes_parent_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_text(path, "好\n")
    write_text(path, "new\n")
    assert path.read_text(encoding="utf-8") == "new\n"
    assert [entry.name for entry in path.parent.iterdir()] == ["b.json"]


def test_mode_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_bytes(tmp_path / "x", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_failure_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_bytes(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    write_bytes(path, b"data")
    reader.join()
    assert got == [b"data"]
    assert path.is_fifo()


@pytest.mark.parametrize("name", ["folder", "file/below"])
def test_an_impossible_place_is_a_usage_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot write"):
        write_bytes(tmp_path / name, b"x")
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_full_disk_is_told_from_a_place_that_one_may_not_write_to() -> None:
    full = cannot_write(Path("x"), OSError(errno.ENOSPC, "No space left on device"))
    assert full.hint == "make room there, or give another place"
    assert "may write to" in cannot_write(Path("x"), OSError(errno.EACCES, "Permission denied")).hint
