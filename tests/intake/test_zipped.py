"""What only a zip can try."""

from __future__ import annotations

import io
import stat
import struct
import zipfile

import pytest

from grader.intake.rules import MIB
from tests.archives import from_zip, refused, zip_of


def test_links_and_devices_in_a_zip_are_refused() -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            info = zipfile.ZipInfo("x.py")
            info.external_attr = (kind | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
        refused(from_zip, buffer.getvalue(), "is a link or a device")


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(zip_of({"x.py": b"1"}))
    data[data.index(b"PK\x01\x02") + 8] |= 1
    data[6] |= 1
    refused(from_zip, bytes(data), "is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_rare_compression_is_refused(method: int) -> None:
    refused(from_zip, zip_of({"x.py": b"1"}, method), "other than deflate")


def test_a_nul_in_a_zip_name_is_refused_and_not_cut() -> None:
    refused(from_zip, zip_of({"x.pyQ.txt": b"1"}).replace(b"x.pyQ.txt", b"x.py\x00.txt"), "control")


def test_a_size_that_lies_in_either_direction_is_refused() -> None:
    honest = zip_of({"x.py": bytes(200)})
    entry = honest.index(b"PK\x01\x02")
    for lie, rule in ((10, "damaged"), (4 * MIB, "200-fold|another size|damaged"), (2**31, "5 MiB")):
        data = bytearray(honest)
        struct.pack_into("<I", data, entry + 24, lie)
        refused(from_zip, bytes(data), rule)


def test_a_bomb_that_states_a_small_size_stops_at_it() -> None:
    data = bytearray(zip_of({"x.py": bytes(300 * MIB)}))
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 1000)
    refused(from_zip, bytes(data), "damaged")


def test_overlapping_members_are_refused() -> None:
    data = bytearray(zip_of({"a.py": b"1" * 50, "b.py": b"2" * 50}))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    struct.pack_into("<I", data, second + 42, 0)  # both start at the first local header
    refused(from_zip, bytes(data), "shares its bytes")


def test_a_directory_of_half_a_million_entries_is_refused_before_it_is_parsed() -> None:
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<HHHHHII", 0, 0, 0, 0, 0, 0, 0)
    count = 20 * MIB // len(entry)
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, count * len(entry), 0, 0)
    refused(from_zip, entry * count + end, "more than 2,000 members")
