"""The memory of a batch, in one SQLite file beside its reports: jobs, attempts, and every finished task's result.

A write-ahead log, synced with each commit: a result that was told to this module is there after a SIGKILL or a power
cut. The reports are made from it again at any time. One writer: a lock on the folder keeps a second batch out.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from grader.errors import Ungraded, UsageError
from grader.judge.kept import result_from_json, result_to_json
from grader.model import Task, TaskResult
from grader.text import sanitize_line

FILE: Final = "store.sqlite"
VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE jobs (
    id TEXT PRIMARY KEY,        -- of the submission
    source TEXT NOT NULL,       -- its name in the folder
    state TEXT NOT NULL,        -- graded, rejected, ungraded; waiting while it is none of them
    percent REAL NOT NULL,
    reason TEXT NOT NULL,
    report_key TEXT NOT NULL,   -- what the report was made from; '' where it must be made again
    report_sha256 TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE attempts (
    run TEXT PRIMARY KEY,       -- the label of its sandboxes
    job TEXT NOT NULL,
    task TEXT NOT NULL,
    number INTEGER NOT NULL,    -- from 1
    started_at TEXT NOT NULL,
    outcome TEXT NOT NULL,      -- running, graded, ungraded, interrupted
    seconds REAL NOT NULL,
    error TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE results (
    key TEXT PRIMARY KEY,       -- see batch.keys
    task TEXT NOT NULL,
    started_at TEXT NOT NULL,
    seconds REAL NOT NULL,
    content BLOB NOT NULL       -- zlib of JSON
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """What became of one submission."""

    id: str
    source: str
    state: str
    percent: float = 0.0
    reason: str = ""
    report_key: str = ""
    report_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A stored result, and the run that it is from."""

    result: TaskResult
    started_at: str
    seconds: float


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Makes the folder and holds it for one batch. Raises UsageError where another has it or it cannot be written."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(out, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        message = f"cannot write to {out}: {error.strerror or error}"
        raise UsageError(message, hint="give a folder that you may write to with -o") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with the process, however it ends
        yield
    except BlockingIOError as error:
        raise UsageError(f"another batch is writing to {out}", hint="wait for it, or give another -o") from error
    finally:
        os.close(descriptor)


class Store:
    """The store of one OUT. Raises UsageError where the file is not a store, Ungraded where it cannot be written."""

    def __init__(self, out: Path) -> None:
        self._path = out / FILE
        with self._guarded():
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            message = f"{self._path} was written by another version of grader"
            raise UsageError(message, hint="give another -o, or remove the file to grade everything again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._db.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:  # a full disk, a folder that went away
            message = f"cannot write {self._path}: {sanitize_line(str(error))}"
            hint = "make room, then give the same command again: finished results are kept"
            raise Ungraded(message, hint=hint) from error
        except sqlite3.DatabaseError as error:
            message = f"{self._path} is not a store of results: {sanitize_line(str(error))}"
            raise UsageError(message, hint="give another -o, or remove the file to grade everything again") from error

    def _run(self, statement: str, *values: Any) -> list[Any]:  # noqa: ANN401 -- what SQLite holds
        with self._guarded():
            return self._db.execute(statement, values).fetchall()

    def fact(self, name: str) -> str:
        """A value that was kept by `keep_fact`; "" for none."""
        rows = self._run("SELECT value FROM facts WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""

    def keep_fact(self, name: str, value: str) -> None:
        """Keeps a value by name."""
        self._run("INSERT OR REPLACE INTO facts VALUES (?, ?)", name, value)

    def seed(self, given: int | None) -> int:
        """The seed of the batch: the given one, else one drawn once and kept, so that candidates stay comparable."""
        if given is not None:
            return given
        if not self.fact("seed"):
            self.keep_fact("seed", str(secrets.randbits(62)))
        return int(self.fact("seed"))

    def job(self, name: str) -> JobRow | None:
        """What is known of a submission."""
        columns = "id, source, state, percent, reason, report_key, report_sha256"
        rows = self._run(f"SELECT {columns} FROM jobs WHERE id = ?", name)  # noqa: S608 -- our own words
        return JobRow(**dict(zip(columns.split(", "), rows[0], strict=True))) if rows else None

    def announce(self, sources: Mapping[str, str]) -> None:
        """Keeps that these submissions (id to name in the folder) wait, unless they are known."""
        statement = "INSERT OR IGNORE INTO jobs VALUES (?, ?, 'waiting', 0, '', '', '')"
        with self._guarded(), self._transaction():
            self._db.executemany(statement, sources.items())

    def settle(self, row: JobRow) -> None:
        """Keeps what became of a submission."""
        values = (row.id, row.source, row.state, row.percent, row.reason, row.report_key, row.report_sha256)
        self._run("INSERT OR REPLACE INTO jobs VALUES (?, ?, ?, ?, ?, ?, ?)", *values)

    def begin(self, run: str, job: str, task: str, number: int, started_at: str) -> None:
        """An attempt starts; written before anything runs, so that its sandboxes are found after a crash."""
        statement = "INSERT INTO attempts VALUES (?, ?, ?, ?, ?, 'running', 0, '')"
        self._run(statement, run, job, task, number, started_at)

    def end(self, run: str, outcome: str, seconds: float, error: str = "") -> None:
        """An attempt has ended."""
        statement = "UPDATE attempts SET outcome = ?, seconds = ?, error = ? WHERE run = ?"
        self._run(statement, outcome, seconds, error, run)

    def keep(self, run: str, key: str, kept: Kept) -> None:
        """An attempt has ended with a result: both or neither are written."""
        content = zlib.compress(json.dumps(result_to_json(kept.result)).encode(), 6)
        row = (key, kept.result.task.id, kept.started_at, kept.seconds, content)
        with self._guarded(), self._transaction():
            self._db.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?)", row)
            self._db.execute("UPDATE attempts SET outcome = 'graded', seconds = ? WHERE run = ?", (kept.seconds, run))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # a full disk has rolled it back already
                self._db.execute("ROLLBACK")
            raise

    def find(self, key: str, task: Task) -> Kept | None:
        """The stored result of that key; None for none, or one that this version cannot read."""
        rows = self._run("SELECT started_at, seconds, content FROM results WHERE key = ?", key)
        for started_at, seconds, content in rows:
            with contextlib.suppress(ValueError, KeyError, TypeError, zlib.error):
                result = result_from_json(json.loads(zlib.decompress(content)), task)
                return Kept(result=result, started_at=started_at, seconds=seconds)
        return None

    def has(self, key: str) -> bool:
        """True where there is a result of that key."""
        return bool(self._run("SELECT 1 FROM results WHERE key = ?", key))

    def abandon(self) -> list[str]:
        """Marks what a batch that was killed left running; gives the labels of its sandboxes."""
        rows = self._run("UPDATE attempts SET outcome = 'interrupted' WHERE outcome = 'running' RETURNING run")
        return [str(row[0]) for row in rows]
