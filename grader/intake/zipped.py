"""Reads a zip archive in memory, believing none of the sizes that it states.

`zipfile` builds one object for each entry of the central directory before we see any, so their number is bounded
first; and it stops reading at the stated size, after which the checksum decides.
"""

from __future__ import annotations

import io
import itertools
import stat
import struct
import zipfile
import zlib

from grader.errors import SubmissionRejected
from grader.intake.rules import Basket, refuse

_ENTRY_SIGNATURE = b"PK\x01\x02"
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""General purpose bits: traditional, strong, and masked headers (APPNOTE 4.4.4)."""
# LZMA states its own dictionary size, up to 4 GiB: an allocation that no budget here would see.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, NotImplementedError, OverflowError)


def read_zip(data: bytes, basket: Basket) -> None:
    """Puts the regular files of the archive into the basket; raises SubmissionRejected for what the rules forbid."""
    # Each entry that zipfile parses starts with the signature; so many at most, wherever the directory may be.
    if data.count(_ENTRY_SIGNATURE) > basket.budget.members:
        message = f"the archive has more than {basket.budget.members:,} members"
        raise SubmissionRejected(message, hint="leave out data, environments and version control")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_overlaps(archive.infolist())
            for info in archive.infolist():
                _read_entry(archive, info, basket)
    except _DAMAGE as error:
        message = "the archive is damaged or no zip archive"
        raise SubmissionRejected(message, hint="make it again with a common tool") from error


def _check_overlaps(infos: list[zipfile.ZipInfo]) -> None:
    """Raises where two members share bytes: the trick of bombs that stay small without nesting."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    for first, second in itertools.pairwise(ordered):
        if first.header_offset + _LOCAL_HEADER_BYTES + first.compress_size > second.header_offset:
            refuse(second.orig_filename, "shares its bytes with another member", "make the archive again")


def _read_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, basket: Basket) -> None:
    """Reads one member. Its name is `orig_filename`: `filename` ends at the first NUL."""
    name = info.orig_filename
    basket.count(name)
    path = basket.admit(name, is_file=not name.endswith("/"))
    if path is None:
        return
    _check_kind(info)
    if name.endswith("/"):
        return
    basket.check_size(path, info.file_size)
    basket.check_ratio(path, info.file_size, info.compress_size)
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        refuse(name, "has another size than the archive states", "make the archive again")
    basket.put(path, content)


def _check_kind(info: zipfile.ZipInfo) -> None:
    """Raises for what is encrypted, packed by a rare method, or neither a file nor a folder."""
    if info.flag_bits & _ENCRYPTED:
        refuse(info.orig_filename, "is encrypted", "make the archive without a password")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        refuse(info.orig_filename, "is a link or a device; only regular files are read", "archive the file itself")
    if info.compress_type not in _METHODS:
        refuse(info.orig_filename, "is compressed by a method other than deflate", "use zip's usual method")
