"""What only a tar can try."""

from __future__ import annotations

import gzip
import random
import tarfile
import tracemalloc

import pytest

from grader.intake.rules import MIB
from tests.archives import PEAK_BYTES, from_tar, refused, tar_of


@pytest.mark.parametrize("layout", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_common_tar_format_is_read_gzipped_or_plain(layout: int) -> None:
    name = "a" * 60 + "/" + "b" * 90 + ".py"
    data = tar_of({name: b"1", "x.py": b"2"}, layout)
    assert from_tar(data) == from_tar(gzip.decompress(data)) == {name: b"1", "x.py": b"2"}


def header(name: str = "x.py", size: str = "0", kind: bytes = b"0", link: str = "") -> bytes:
    """A ustar header with any text as its size."""
    block = bytearray(512)
    block[:100] = name.encode()[:100].ljust(100, b"\0")
    block[100:108] = b"0000644\0"
    block[124:136] = size.encode().rjust(11, b"0") + b"\0"
    block[156:157] = kind
    block[157:257] = link.encode().ljust(100, b"\0")
    block[257:265] = b"ustar\x0000"
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block):06o}\0 ".encode()
    return bytes(block)


@pytest.mark.parametrize(
    ("kind", "rule"),
    [
        (b"1", "hard link"),
        (b"2", "symbolic link"),
        (b"3", "device"),
        (b"4", "device"),
        (b"6", "FIFO"),
        (b"S", "special"),
    ],
)
def test_what_is_no_regular_file_in_a_tar_is_refused(kind: bytes, rule: str) -> None:
    refused(from_tar, header(kind=kind, link="/etc/passwd") + bytes(1024), rule)


@pytest.mark.parametrize("size", ["-1", "-512", "8", "x", "77777777777"])
def test_a_senseless_size_is_refused_and_ends(size: str) -> None:
    refused(from_tar, header(size=size) + bytes(1024), "damaged|5 MiB")


def test_a_size_in_base_256_is_refused() -> None:
    block = bytearray(header())
    block[124:136] = b"\x80" + (2**40).to_bytes(11, "big")
    refused(from_tar, bytes(block) + bytes(1024), "damaged")


def test_a_broken_checksum_or_a_cut_archive_is_refused() -> None:
    refused(from_tar, b"\x01" + header()[1:] + bytes(1024), "damaged")
    refused(from_tar, header(size="10") + b"123", "damaged")
    refused(from_tar, tar_of({"x.py": random.Random(0).randbytes(5000)})[:2000], "damaged")


def pax(body: bytes) -> bytes:
    return header("PaxHeader", f"{len(body):o}", b"x") + body.ljust(-(-len(body) // 512) * 512, b"\0")


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (b"20 path=../evil.py1\n", "leads out"),
        (b"14 size=99999\n", "sparse or enormous"),
        (b"22 GNU.sparse.major=1\n", "sparse or enormous"),
        (b"0 path=x\n", "damaged"),
        (b"-5 path=x\n", "damaged"),
        (b"99999999999999 a=b", "damaged"),
        (b"9" * 5000 + b" path=x\n", "damaged"),
        (b"path=x\n", "damaged"),
        (b"1" * 60_000, "damaged"),
    ],
)
def test_a_hostile_pax_header_is_refused(body: bytes, rule: str) -> None:
    refused(from_tar, pax(body) + header() + bytes(1024), rule)


def test_a_chain_of_long_names_ends() -> None:
    link = header("././@LongLink", "5", b"L") + b"name\0".ljust(512, b"\0")
    assert list(from_tar(link * 5000 + header() + bytes(1024))) == ["name"]
    refused(from_tar, link * 70_000, "too far into the archive")


def test_a_skipped_bomb_in_a_tar_is_refused() -> None:
    refused(from_tar, tar_of({".git/huge": bytes(100 * MIB)}), "200-fold|too far")


def test_a_nested_gzip_bomb_stays_packed() -> None:
    bomb = gzip.compress(gzip.compress(bytes(50 * MIB)))
    assert from_tar(tar_of({"data.gz": bomb})) == {"data.gz": bomb}


def test_the_largest_honest_submission_fits_the_memory_goal() -> None:
    noise = random.Random(0)
    files = {f"{index}.py": noise.randbytes(5 * MIB - 3000) for index in range(4)}
    data = tar_of(files)
    tracemalloc.start()
    try:
        assert from_tar(data) == files
        assert tracemalloc.get_traced_memory()[1] < PEAK_BYTES
    finally:
        tracemalloc.stop()
