"""grader itself as a wheel, made from what is installed: the kit then needs no place to download it from.

Made without a build tool, so that `grader kit` works offline and the same in a clone and from a wheel. The result holds
what a built wheel holds; a test compares the two.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

from grader.errors import UsageError
from grader.task import CACHES

DISTRIBUTION = "ml-interview-grader"
_PACKAGE = Path(__file__).resolve().parents[1]
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""Of a zip file: the same content gives the same bytes."""
_WHEEL = "Wheel-Version: 1.0\nGenerator: grader kit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_DESCRIBED = ("METADATA", "entry_points.txt", "licenses/LICENSE")


def own_wheel() -> tuple[str, bytes]:
    """File name and content. Raises UsageError where grader runs without being installed."""
    try:
        found = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise UsageError("grader is not installed, so it cannot be packed", hint="run: make setup") from error
    stem = f"{DISTRIBUTION.replace('-', '_')}-{found.version}"
    files = _package_files()
    for name in _DESCRIBED:
        files[f"{stem}.dist-info/{name}"] = (found.read_text(name) or "").encode()
    files[f"{stem}.dist-info/WHEEL"] = _WHEEL.encode()
    record = f"{stem}.dist-info/RECORD"
    files[record] = _record(files, record).encode()
    return f"{stem}-py3-none-any.whl", _zipped(files)


def _package_files() -> dict[str, bytes]:
    """The package's files by their path in the wheel, without caches and hidden files."""
    paths = sorted(path for path in _PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    inner = {path: path.relative_to(_PACKAGE.parent) for path in paths}
    kept = {
        path: name for path, name in inner.items() if not any(part[0] == "." or part in CACHES for part in name.parts)
    }
    return {name.as_posix(): path.read_bytes() for path, name in kept.items()}


def _record(files: dict[str, bytes], itself: str) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.writerow((name, f"sha256={digest}", len(content)))
    rows.writerow((itself, "", ""))
    return text.getvalue()


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name, _FIRST_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()
