"""The store: results come back as they were, half a result never, and a stranger's file is refused."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import Ungraded, UsageError
from grader.model import ArtifactFile, Resources, SandboxFacts, Score, ScoredPoint, ScoredQuestion, Text
from grader.store import FILE, JobRow, Kept, Store, locked
from tests.samples import DIAGNOSIS, TASK, check, result

FULL = replace(
    result(check("a"), check("b", "learning", 60.0)),
    resources=Resources(wall_s=1.5, cpu_s=1.0, max_rss_bytes=5),
    facts=SandboxFacts(backend="docker", isolated=True, image="i", attestation={"green": True}, versions={"t": "2"}),
    diagnosis=(DIAGNOSIS,),
    artifacts=(ArtifactFile(name="p", media_type="image/svg+xml", suffix=".svg", content=b"\0<svg/>"),),
    notes=("cell 3 raised",),
    questions=(
        ScoredQuestion(
            id="q01", language="zh", score=Score(earned=1, possible=2), flags=("stuffed",),
            points=(ScoredPoint(id="p", title=Text(en="P", zh="点"), score=Score(earned=1, possible=2)),),
        ),
    ),
)  # fmt: skip
KEPT = Kept(result=FULL, started_at="2025-01-01T00:00:00+00:00", seconds=1.25)


def test_a_result_comes_back_equal(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.begin("r1", "ada", "toy", 1, "now")
        store.keep("r1", "k1", KEPT)
    with Store(tmp_path) as store:
        assert store.find("k1", TASK) == KEPT
        assert store.find("k2", TASK) is None
        assert store.abandon() == []


def test_a_result_that_cannot_be_read_is_as_if_it_were_not_there(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.begin("r1", "ada", "toy", 1, "now")
        store.keep("r1", "k1", KEPT)
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("UPDATE results SET content = x'00'")
    with Store(tmp_path) as store:
        assert store.find("k1", TASK) is None


def test_attempts_that_a_killed_batch_left_are_found_once(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.begin("r1", "ada", "toy", 1, "now")
        store.begin("r2", "bo", "toy", 1, "now")
        store.end("r2", "ungraded", 1.0, "why")
    with Store(tmp_path) as store:
        assert store.abandon() == ["r1"]
        assert store.abandon() == []


def test_the_seed_is_drawn_once_and_kept(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        drawn = store.seed(None)
        assert store.seed(7) == 7
    with Store(tmp_path) as store:
        assert store.seed(None) == drawn


def test_what_became_of_a_submission_is_kept_when_it_is_announced_again(tmp_path: Path) -> None:
    row = JobRow(id="ada", source="ada.zip", state="graded", percent=50, report_key="k", report_sha256="s")
    with Store(tmp_path) as store:
        store.announce({"ada": "ada.zip", "bo": "bo"})
        assert store.job("bo") == JobRow(id="bo", source="bo", state="waiting")
        store.settle(row)
        store.announce({"ada": "ada.zip"})
        assert store.job("ada") == row


def test_a_second_batch_in_one_place_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path / "out"), pytest.raises(UsageError, match="another batch"), locked(tmp_path / "out"):
        pass
    with locked(tmp_path / "out"):
        pass


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database, and long enough to be looked at as one" * 40)
    with pytest.raises(UsageError, match="is not a store"):
        Store(tmp_path)
    assert (tmp_path / FILE).read_bytes().startswith(b"not a database")


def test_a_store_of_another_version_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(UsageError, match="another version"):
        Store(tmp_path)


def test_a_full_store_says_that_finished_results_are_kept(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.begin("r1", "ada", "toy", 1, "now")
        store.keep("r1", "k1", KEPT)
        store._db.execute(f"PRAGMA max_page_count = {store._db.execute('PRAGMA page_count').fetchone()[0]}")
        store.begin("r2", "bo", "toy", 1, "now")
        large = replace(KEPT, result=replace(FULL, reason="".join(map(str, range(100_000)))))
        with pytest.raises(Ungraded, match="full.*finished results are kept"):
            store.keep("r2", "k2", large)
    with Store(tmp_path) as store:
        assert store.find("k1", TASK) == KEPT
        assert store.find("k2", TASK) is None
