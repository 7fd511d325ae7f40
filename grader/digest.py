"""One digest for a set of files, whatever order, archive or disk they came from: provenance in reports."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def digest_files(files: Mapping[str, bytes]) -> str:
    """SHA-256 (hex) over the sorted paths and their bytes.

    Each part is preceded by its length (8 bytes, big-endian), so that no two sets of files run together alike.
    """
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path]):
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
    return digest.hexdigest()
