"""Archives made for tests, and the assertion that one is refused within bounded memory."""

from __future__ import annotations

import io
import tarfile
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Mapping

import pytest

from grader.errors import SubmissionRejected
from grader.intake.rules import MIB, Basket
from grader.intake.tarred import read_tar
from grader.intake.zipped import read_zip

PEAK_BYTES = 64 * MIB
"""What refusing or reading any archive may take (security goal A58)."""


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(files: Mapping[str, bytes], layout: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=layout) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def from_zip(data: bytes) -> dict[str, bytes]:
    basket = Basket()
    read_zip(data, basket)
    return basket.files


def from_tar(data: bytes) -> dict[str, bytes]:
    basket = Basket()
    read_tar(io.BytesIO(data), basket)
    return basket.files


KINDS = pytest.mark.parametrize(("pack", "read"), [(zip_of, from_zip), (tar_of, from_tar)], ids=["zip", "tar"])
Pack = Callable[[Mapping[str, bytes]], bytes]
Read = Callable[[bytes], dict[str, bytes]]


def refused(read: Read, data: bytes, rule: str) -> None:
    """Asserts the refusal and that it took bounded memory beside the archive itself."""
    tracemalloc.start()
    try:
        with pytest.raises(SubmissionRejected, match=rule) as caught:
            read(data)
        assert tracemalloc.get_traced_memory()[1] < PEAK_BYTES
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()
