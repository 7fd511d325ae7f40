"""What holds for zip and tar alike: honest archives are read, hostile ones refused within bounded memory."""

from __future__ import annotations

import gzip
import io
import random
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.intake.rules import MIB
from tests.archives import KINDS, Pack, Read, from_tar, from_zip, refused, zip_of


@KINDS
def test_files_come_back_under_clean_names(pack: Pack, read: Read) -> None:
    long_name = "a/" + "b" * 150 + "/模型.py"
    files = {"x.py": b"1", "./y/z.py": b"2" * 1000, long_name: b"3", ".git/config": b"4", "empty": b""}
    assert read(pack(files)) == {"x.py": b"1", "y/z.py": b"2" * 1000, long_name: b"3", "empty": b""}


def test_folders_in_archives_are_no_files() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        folder = tarfile.TarInfo("alice")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        archive.addfile(tarfile.TarInfo("alice/x.py"))
    assert from_tar(buffer.getvalue()) == {"alice/x.py": b""}
    assert from_zip(zip_of({"alice/": b"", "alice/x.py": b""})) == {"alice/x.py": b""}


@KINDS
@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("../x.py", "leads out"),
        ("a/../../out-evil/x.py", "leads out"),
        ("/etc/cron.d/x", "absolute"),
        ("C:/x.py", "absolute"),
        ("a\\x.py", "backslash"),
        ("a\n.py", "control"),
        ("inner.zip", "archive inside"),
        ("inner.tar.gz", "archive inside"),
        ("/".join("abcdefghijklm"), "deep"),
        ("n" * 250, "240 bytes"),
    ],
)
def test_a_hostile_name_is_refused(pack: Pack, read: Read, name: str, rule: str) -> None:
    refused(read, pack({"ok.py": b"", name: b"x"}), rule)


@KINDS
def test_twins_by_case_and_by_unicode_form_are_refused(pack: Pack, read: Read) -> None:
    refused(read, pack({"a.py": b"", "A.py": b""}), "clashes with 'a.py'")
    refused(read, pack({"\u00e9.py": b"", "e\u0301.py": b""}), "clashes with")


@KINDS
def test_a_flat_bomb_is_refused(pack: Pack, read: Read) -> None:
    refused(read, pack({"x.py": bytes(5 * MIB)}), "200-fold")
    refused(read, pack({"x.py": bytes(300 * MIB)}), "5 MiB|200-fold")


@KINDS
def test_a_bomb_of_many_files_is_refused(pack: Pack, read: Read) -> None:
    block = random.Random(0).randbytes(4096) * 1000  # expands 100-fold or so: below the ratio
    refused(read, pack({f"{index}.py": block for index in range(8)}), "20 MiB")


@KINDS
def test_too_many_members_are_refused(pack: Pack, read: Read) -> None:
    refused(read, pack({f"{index}.py": b"" for index in range(2001)}), "2,000")


@KINDS
@given(data=st.binary(max_size=600))
def test_arbitrary_bytes_are_refused_or_read(pack: Pack, read: Read, data: bytes) -> None:
    for hostile in (data, pack({"x.py": b"1"})[:-60] + data):
        try:
            read(hostile)
        except SubmissionRejected as error:
            assert str(error).isprintable()


@KINDS
@given(places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4))
def test_a_mutated_archive_is_refused_or_read(pack: Pack, read: Read, places: list[tuple[int, int]]) -> None:
    data = bytearray(pack({"x.py": b"print(1)" * 20, "y/z.py": b"2"}))
    if read is from_tar:
        data = bytearray(gzip.decompress(bytes(data)))
    for place, value in places:
        data[place % len(data)] = value
    try:
        files = read(bytes(data))
    except SubmissionRejected:
        return
    assert all(isinstance(content, bytes) for content in files.values())
