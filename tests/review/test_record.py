"""review.json only grows, is whole at every moment, and loses nothing when several people save at once."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grader.atomic import write_bytes
from grader.errors import UsageError
from grader.review import record as module
from grader.review.record import Addition, Override, ReviewConflict, add_overrides, read_review, review_path
from grader.review.results import find_result
from grader.schemas import violation
from tests.review.samples import entries, given, of_check, of_point, override, store


def add(path: Path, *overrides: Override, submission: str = "alice") -> None:
    add_overrides({review_path(path): Addition(submission=submission, overrides=overrides)})


def test_entries_stay_and_the_last_one_counts(tmp_path: Path) -> None:
    path = store(tmp_path)
    add(path, override(of_point("q01", "how"), 2.0), override(of_check("mask"), 1.0))
    add(path, override(of_point("q01", "how"), 0.5, reviewer="Ana"))
    assert [row["points"] for row in entries(path)] == [2.0, 1.0, 0.5]
    assert given(path) == {"written/q01/how": 0.5, "toy/mask": 1.0}
    assert violation(json.loads(path.with_name("review.json").read_text("utf-8")), "review") == ""


def test_a_withdrawn_entry_stays_and_the_one_before_it_counts_again(tmp_path: Path) -> None:
    path, place = store(tmp_path), of_point("q01", "how")
    add(path, override(place, 2.0), override(place, 0.5, reviewer="Ana"))
    add(path, override(place, 0.5, reviewer="Ana", reason="taken back", withdrawn=True))
    assert [row.get("withdrawn", False) for row in entries(path)] == [False, False, True]
    assert given(path) == {"written/q01/how": 2.0}
    add(path, override(place, 2.0, withdrawn=True), override(place, 2.0, withdrawn=True))
    assert given(path) == {}
    assert violation(json.loads(path.with_name("review.json").read_text("utf-8")), "review") == ""
    assert find_result(path).view["review"] == {"in_effect": 0, "set_aside": []}


def test_who_has_not_seen_the_last_entry_of_a_place_adds_nothing_to_it(tmp_path: Path) -> None:
    path, place, other = store(tmp_path), of_point("q01", "how"), of_point("q01", "why")
    add(path, override(other, 1.0), override(place, 2.0))
    late = Addition(submission="alice", overrides=[override(other, 0.0), override(place, 0.0)], seen={place: 0})
    with pytest.raises(ReviewConflict, match="written/q01/how was decided"):
        add_overrides({review_path(path): late})
    assert given(path) == {"written/q01/why": 1.0, "written/q01/how": 2.0}
    add_overrides({review_path(path): replace(late, seen={place: 1, other: 1})})
    assert given(path) == {"written/q01/why": 0.0, "written/q01/how": 0.0}


def test_the_report_itself_is_not_touched(tmp_path: Path) -> None:
    path = store(tmp_path)
    before = path.read_bytes()
    add(path, override(of_point("q01", "how"), 2.0))
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["report.json", "review.json"]


def test_reports_of_one_folder_have_reviews_of_their_own() -> None:
    assert review_path(Path("out/ada/report.json")) == Path("out/ada/review.json")
    assert review_path(Path("out/ada.json")) == Path("out/ada.review.json")


def test_no_file_is_a_review_without_entries(tmp_path: Path) -> None:
    assert read_review(tmp_path / "review.json", "alice")["overrides"] == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "[" * 10**5, '{"schema_version": 2, "submission": "alice", "overrides": []}', "\xff\xfe", "NaN"],
)
def test_what_is_no_review_is_refused_and_kept(tmp_path: Path, text: str) -> None:
    path = store(tmp_path)
    review = path.with_name("review.json")
    review.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="review"):
        add(path, override(of_point("q01", "how"), 2.0))
    assert review.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize(
    "changed",
    [
        {"points": -1}, {"points": "2"}, {"reason": ""}, {"reviewer": ""}, {"at": "yesterday"}, {"check": "mask"},
        {"submission_sha256": "x"}, {"more": 1}, {"question": None}, {"points": float("nan")}, {"points": 1e999},
    ],
)  # fmt: skip
def test_a_bad_entry_is_refused(tmp_path: Path, changed: dict[str, object]) -> None:
    path = store(tmp_path)
    add(path, override(of_point("q01", "how"), 2.0))
    review = path.with_name("review.json")
    content = json.loads(review.read_text("utf-8"))
    content["overrides"][0] |= changed
    review.write_text(json.dumps(content), "utf-8")
    with pytest.raises(UsageError, match="review"):
        read_review(review, "alice")


def test_a_review_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = store(tmp_path)
    add(path, override(of_point("q01", "how"), 2.0), submission="bob")
    with pytest.raises(UsageError, match="review of bob, not of alice"):
        read_review(path.with_name("review.json"), "alice")


def _save(path: Path, name: str, number: int, barrier: multiprocessing.synchronize.Barrier) -> None:
    barrier.wait()
    for index in range(number):
        add(path, override(of_point("q01", "how"), 1.0, reviewer=name, reason=f"{name} {index}"))


def test_of_reviewers_who_save_at_once_none_is_lost(tmp_path: Path) -> None:
    path, context = store(tmp_path), multiprocessing.get_context("spawn")
    barrier = context.Barrier(3)
    workers = [context.Process(target=_save, args=(path, name, 20, barrier)) for name in ("ana", "bo", "cy")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    reasons = [row["reason"] for row in entries(path)]
    assert sorted(reasons) == sorted(f"{name} {index}" for name in ("ana", "bo", "cy") for index in range(20))
    for name in ("ana", "bo", "cy"):  # and each one's in their order
        assert [reason for reason in reasons if reason.startswith(name)] == [f"{name} {index}" for index in range(20)]


def test_a_lock_that_nobody_lets_go_of_ends_in_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store(tmp_path)
    monkeypatch.setattr(module, "_LOCK_WAIT_S", 0.1)
    descriptor = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(UsageError, match="another process is saving"):
        add(path, override(of_point("q01", "how"), 2.0))
    os.close(descriptor)
    add(path, override(of_point("q01", "how"), 2.0))


def _additions(paths: Sequence[Path]) -> dict[Path, Addition]:
    return {
        review_path(path): Addition(
            submission=path.parent.name, overrides=(override(of_point("q01", "how"), 2.0, reason="new"),)
        )
        for path in paths
    }


def test_where_one_review_cannot_be_written_none_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [store(tmp_path, name) for name in ("ada", "bob", "cy")]
    add(paths[0], override(of_point("q01", "how"), 1.0), submission="ada")
    before = paths[0].with_name("review.json").read_bytes()
    real = write_bytes

    def full_disk(path: Path, data: bytes) -> None:
        if path.parent.name == "cy":
            raise UsageError("cannot write: No space left on device")
        real(path, data)

    monkeypatch.setattr(module, "write_bytes", full_disk)
    with pytest.raises(UsageError, match="No space left"):
        add_overrides(_additions(paths))
    assert paths[0].with_name("review.json").read_bytes() == before
    assert not paths[1].with_name("review.json").exists()
    assert not paths[2].with_name("review.json").exists()


def test_a_folder_that_is_gone_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        add_overrides(_additions([tmp_path / "nobody" / "report.json"]))
