"""A folder is read without following anything; what is not a regular file refuses the submission."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SubmissionRejected, UsageError
from grader.intake.folder import opened, read_file, read_folder
from grader.intake.rules import Basket, Budget

MakeFolder = Callable[..., Path]


def _read(root: Path, budget: Budget | None = None) -> Basket:
    basket = Basket(budget or Budget())
    with opened(root) as descriptor:
        read_folder(descriptor, basket)
    return basket


def test_reads_regular_files_at_any_depth(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {"a.py": "1", "src/b/c.py": "2", "empty": ""})
    assert _read(root).files == {"a.py": b"1", "src/b/c.py": b"2", "empty": b""}


def test_junk_is_skipped_without_looking_inside(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder("alice", {"a.py": "1", ".venv/bin/x": "2"})
    (root / ".venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    basket = _read(root)
    assert list(basket.files) == ["a.py"]
    assert basket.notes() == ("skipped .venv: tools leave it behind",)


@pytest.mark.parametrize("target", ["/etc/passwd", "a.py", "nowhere", "/etc"])
def test_a_symbolic_link_is_refused(make_folder: MakeFolder, target: str) -> None:
    root = make_folder("alice", {"a.py": "1"})
    (root / "link.py").symlink_to(target)
    with pytest.raises(SubmissionRejected, match=r"'link.py' is a symbolic link"):
        _read(root)


def test_a_submission_that_is_itself_a_link_is_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    (tmp_path / "bob").symlink_to(make_folder("alice", {"a.py": "1"}))
    with pytest.raises(SubmissionRejected, match="is a symbolic link"):
        _read(tmp_path / "bob")


def test_a_hard_link_is_refused(make_folder: MakeFolder, tmp_path: Path) -> None:
    root = make_folder("alice", {"a.py": "1"})
    (tmp_path / "secret").write_bytes(b"of the host")
    (root / "b.py").hardlink_to(tmp_path / "secret")
    with pytest.raises(SubmissionRejected, match="'b.py' is a hard link"):
        _read(root)


def test_a_fifo_is_refused_without_waiting_for_a_writer(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {"a.py": "1"})
    os.mkfifo(root / "pipe.py")
    with pytest.raises(SubmissionRejected, match="'pipe.py' is a FIFO"):
        _read(root)


def test_a_socket_is_refused(make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(make_folder("alice", {"a.py": "1"}))  # a socket's path may have 108 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s.py")
        with pytest.raises(SubmissionRejected, match="'s.py' is a socket"):
            _read(Path.cwd())


def test_a_device_is_refused(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {"a.py": "1"})
    try:
        os.mknod(root / "zero.py", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(SubmissionRejected, match="'zero.py' is a device"):
        _read(root)


def test_a_link_swapped_in_after_the_check_is_not_followed(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder("alice", {"a.py": "1"})
    regular = (root / "a.py").stat()
    (root / "a.py").unlink()
    (root / "a.py").symlink_to("/etc/passwd")
    monkeypatch.setattr(os, "stat", lambda *_args, **_kwargs: regular)  # the check saw the file of before
    with pytest.raises(SubmissionRejected, match="'a.py' cannot be read"):
        _read(root)


def test_a_fifo_swapped_in_after_the_check_is_not_read(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder("alice", {"a.py": "1"})
    regular = (root / "a.py").stat()
    (root / "a.py").unlink()
    os.mkfifo(root / "a.py")
    monkeypatch.setattr(os, "stat", lambda *_args, **_kwargs: regular)
    with pytest.raises(SubmissionRejected, match="'a.py' is a FIFO"):
        _read(root)


def test_a_sparse_terabyte_is_refused_before_reading(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {"a.py": "1"})
    os.truncate(root / "a.py", 2**40)
    with pytest.raises(SubmissionRejected, match="'a.py' is larger than 5 MiB"):
        _read(root)


def test_a_file_that_grows_while_it_is_read_is_refused(
    make_folder: MakeFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = make_folder("alice", {"a.py": "1"})
    shorter = (root / "a.py").stat()
    (root / "a.py").write_text("12")
    monkeypatch.setattr(os, "fstat", lambda _descriptor: shorter)
    with opened(root / "a.py") as descriptor, pytest.raises(SubmissionRejected, match="grows while"):
        read_file(descriptor, "a.py", Basket())


def test_members_are_counted_while_listing(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {f"{index}.py": "" for index in range(5)})
    with pytest.raises(SubmissionRejected, match="one file too many"):
        _read(root, Budget(members=4))


def test_a_name_that_is_not_utf8_is_refused(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {"a.py": "1"})
    (Path(os.fsdecode(os.fsencode(root) + b"/\xff.py"))).write_bytes(b"")
    with pytest.raises(SubmissionRejected, match="not UTF-8"):
        _read(root)


def test_nothing_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no submission") as caught:
        _read(tmp_path / "nobody")
    assert not isinstance(caught.value, SubmissionRejected)


def test_descriptors_are_closed_after_a_refusal(make_folder: MakeFolder) -> None:
    root = make_folder("alice", {"a/b/c.py": "1"})
    (root / "a" / "b" / "link").symlink_to("c.py")
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(SubmissionRejected):
        _read(root)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
