"""Reads a tar archive, plain or gzipped, as a stream that only moves forward.

Not `tarfile`: on the Python versions that we support it can loop for ever on a negative size (CVE-2025-8194), take
quadratic time over a header (CVE-2024-6232) and recurse through chained long names. A submission needs two kinds of
members and three ways to write a long name; this reads those (POSIX ustar, pax, GNU) and refuses the rest by name.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from grader.errors import SubmissionRejected
from grader.intake.rules import Basket, refuse

_BLOCK = 512
_CHUNK = 64 * 1024
_MAX_EXTENSION_BYTES = 64 * 1024
_FILES = b"0\x007"
_FOLDER = b"5"
_PAX, _PAX_GLOBAL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"
_REFUSED = {b"1": "a hard link", b"2": "a symbolic link", b"3": "a device", b"4": "a device", b"6": "a FIFO"}
_HINT = "make it again with `tar czf`"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """One 512-byte header: `kind` is the type flag; `name` as stated, before any extension."""

    name: str
    size: int
    kind: bytes


class _Stream:
    """Bytes of the archive after decompression: counted, and watched for a bomb."""

    def __init__(self, file: BinaryIO, basket: Basket) -> None:
        head = file.read(2)
        file.seek(0)
        self._file = file
        self._plain = head != b"\x1f\x8b"
        self._source: BinaryIO | gzip.GzipFile = file if self._plain else gzip.GzipFile(fileobj=file)
        self._basket = basket
        self._count = 0

    def read(self, size: int, member: str) -> bytes:
        """Exactly `size` bytes; raises where they do not come or come too cheaply."""
        self._count += size
        if self._count > self._basket.budget.stream_bytes:
            refuse(member, "lies too far into the archive", "leave out data, environments and version control")
        data = self._source.read(size)
        if len(data) != size:
            raise EOFError
        if not self._plain:
            self._basket.check_ratio(member, self._count, self._file.tell())
        return data

    def skip(self, size: int, member: str) -> None:
        """Moves forward without keeping what is passed."""
        for start in range(0, size, _CHUNK):
            self.read(min(_CHUNK, size - start), member)


def read_tar(file: BinaryIO, basket: Basket) -> None:
    """Puts the regular files of the archive into the basket; raises SubmissionRejected for what the rules forbid."""
    try:
        stream = _Stream(file, basket)
        long_name = ""
        while (header := _read_header(stream)) is not None:
            long_name = _read_entry(stream, header, long_name, basket)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise SubmissionRejected("the archive is damaged or no tar archive", hint=_HINT) from error


def _read_header(stream: _Stream) -> _Header | None:
    """The next header; None at the zero block that ends an archive. Raises ValueError on anything else."""
    block = stream.read(_BLOCK, "a header")
    if not any(block):
        return None
    if _octal(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        message = "checksum"
        raise ValueError(message)
    name = _text(block[:100])
    # GNU's magic is "ustar  ": there the prefix field holds times.
    if block[257:263] == b"ustar\x00" and block[345]:
        name = f"{_text(block[345:500])}/{name}"
    return _Header(name=name, size=_octal(block[124:136]), kind=block[156:157])


def _read_entry(stream: _Stream, header: _Header, long_name: str, basket: Basket) -> str:
    """Reads what follows one header; gives the long name that holds for the next one."""
    name = long_name or header.name
    if header.kind == _GNU_NAME:
        return _text(_read_extension(stream, header))
    if header.kind == _PAX:
        return _pax_path(_read_extension(stream, header)) or long_name
    if header.kind in (_PAX_GLOBAL, _GNU_LINK):
        _read_extension(stream, header)
        return long_name
    basket.count(name)
    _read_member(stream, header, name, basket)
    return ""


def _read_member(stream: _Stream, header: _Header, name: str, basket: Basket) -> None:
    """Reads or skips the bytes of a file; a folder has none worth reading."""
    is_file = header.kind in _FILES and not name.endswith("/")
    path = basket.admit(name, is_file=is_file)
    if path is None:
        stream.skip(_padded(header.size), name)
        return
    if header.kind not in _FILES and header.kind != _FOLDER:
        what = _REFUSED.get(header.kind, "of a kind that only special tools write")
        refuse(name, f"is {what}; only regular files are read", "archive the file itself")
    if not is_file:
        stream.skip(_padded(header.size), name)
        return
    basket.check_size(path, header.size)
    content = stream.read(header.size, name)
    stream.skip(_padded(header.size) - header.size, name)
    basket.put(path, content)


def _read_extension(stream: _Stream, header: _Header) -> bytes:
    """The body of a long name or of a pax header."""
    if header.size > _MAX_EXTENSION_BYTES:
        message = "extension header"
        raise ValueError(message)
    return stream.read(_padded(header.size), header.name)[: header.size]


def _pax_path(body: bytes) -> str:
    r"""The `path` among pax records ("LENGTH key=value\n"); "" where there is none.

    Raises ValueError on records that break the format or that change what the next member's bytes mean.
    """
    path = ""
    while body:
        digits, _, _ = body.partition(b" ")
        length = int(digits)
        record, body = body[len(digits) + 1 : length], body[length:]
        key, equals, value = record.partition(b"=")
        if not digits.isdigit() or length <= len(digits) or not equals or not value.endswith(b"\n"):
            message = "pax record"
            raise ValueError(message)
        if key == b"size" or key.startswith(b"GNU.sparse"):
            refuse(_text(value.rstrip()), "is a sparse or enormous member", "archive source files only")
        if key == b"path":
            path = value[:-1].decode("utf-8", "surrogateescape")
    return path


def _octal(digits: bytes) -> int:
    """A number as tar writes it; ValueError for others (base 256 is for sizes beyond 8 GiB, "-1" for attacks)."""
    stripped = digits.strip(b"\x00 ")
    if not stripped:
        return 0
    if not stripped.isdigit():
        message = "number"
        raise ValueError(message)
    return int(stripped, 8)


def _text(field: bytes) -> str:
    """A name up to its first NUL; bytes that are no UTF-8 become surrogates, which the rules for names refuse."""
    return field.split(b"\x00", 1)[0].decode("utf-8", "surrogateescape")


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK
