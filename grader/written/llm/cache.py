"""Answers of an endpoint on disk, by what was asked: a rerun costs nothing and says the same.

The key holds all that could change an answer. A file that is damaged, or was put there by someone else, is at worst
an answer that does not fit the schema: it is asked for again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.atomic import write_text
from grader.errors import UsageError
from grader.model import Json

MAX_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """A folder of answers; None keeps nothing."""

    folder: Path | None = None

    def get(self, key: str) -> str | None:
        """The kept text, or None."""
        if self.folder is None:
            return None
        with contextlib.suppress(OSError, ValueError, RecursionError):
            path = self._path(key)
            if path.stat().st_size <= MAX_BYTES:
                row = json.loads(path.read_text(encoding="utf-8"))
                return row["text"] if isinstance(row, dict) and isinstance(row.get("text"), str) else None
        return None

    def put(self, key: str, text: str) -> None:
        """Keeps a text; a folder that cannot be written costs only the time that it would have saved."""
        if self.folder is not None and len(text) <= MAX_BYTES // 8:
            with contextlib.suppress(UsageError):
                write_text(self._path(key), json.dumps({"text": text}, ensure_ascii=False))

    def _path(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / key[:2] / f"{key}.json"


def key_of(base_url: str, model: str, messages: list[Json], schema: Json, seed: int) -> str:
    """The key of one request: SHA-256 over the endpoint, the model and every word that it is sent."""
    whole = json.dumps([base_url, model, messages, schema, seed], ensure_ascii=True, sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
