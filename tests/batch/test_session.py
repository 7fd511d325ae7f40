"""The loop of a batch: what is finished is kept, what we failed is tried again, and one fault costs one submission."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.batch import session as loop
from grader.batch.session import Interrupted
from grader.batch.unit import Unit
from grader.config import Settings
from grader.errors import SandboxUnavailable, TaskBroken, Ungraded, UsageError
from grader.model import Json, TaskResult, TaskStatus
from grader.pipeline import Judged
from grader.runners.protocol import Context
from grader.store import Store
from tests.batch.rooms import Room, passed, ungraded


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path / "in", tmp_path / "out")
    for name in ("ada", "bo", "cy"):
        room.add(name, f"# {name}\n")
    return room


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "RETRY_S", (0.0, 0.01))


def records(room: Room) -> dict[str, Json]:
    """The reports as they lie there."""
    return {path.parent.name: json.loads(path.read_text()) for path in room.out.glob("*/report.json")}


def files(room: Room) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in room.out.glob("*/report.json")}


def states(room: Room) -> dict[str, str]:
    return {name: record["status"] for name, record in records(room).items()}


def failing(name: str, error: Callable[[Unit], Judged]) -> Callable[[Unit, Context], Judged]:
    """Plays `error` for one submission, full marks for the others."""
    return lambda unit, context: error(unit) if unit.submission.id == name else passed(unit, context)


def test_every_submission_gets_a_report_and_all_share_one_seed(room: Room) -> None:
    room.grade()
    assert states(room) == dict.fromkeys(("ada", "bo", "cy"), "graded")
    assert len({record["run"]["seed"] for record in records(room).values()}) == 1
    assert {record["score"]["percent"] for record in records(room).values()} == {100.0}


def test_any_seed_will_do(room: Room) -> None:
    room.settings = Settings(backend="process", seed=10**60)
    room.grade()
    assert {record["run"]["seed"] for record in records(room).values()} == {10**60}


def test_a_second_run_grades_nothing_and_changes_no_file(room: Room) -> None:
    room.grade()
    before = files(room)
    show = room.grade()
    assert len(room.asked) == 3
    assert show.tally.stored == 3
    assert files(room) == before


def test_answers_that_nobody_wrote_are_looked_for_once(room: Room) -> None:
    """Whether there are any is only known from reading them, as a job; nothing in a second run can differ."""

    def none_found(unit: Unit, _context: Context) -> Judged:
        return Judged(result=TaskResult(task=unit.task, status=TaskStatus.MISSING, reason="no file answers a question"))

    room.grade(none_found)
    show = room.grade(none_found)
    assert (len(room.asked), show.tally.stored) == (3, 3)


def test_only_what_changed_is_graded_again(room: Room) -> None:
    room.grade()
    room.add("bo", "# another answer\n")
    room.grade()
    assert [name for name, _, _ in room.asked[3:]] == ["bo"]


def test_a_changed_task_is_graded_again_and_the_other_task_is_not(room: Room) -> None:
    from dataclasses import replace

    other = replace(room.tasks["adder"], id="other")
    both = {**room.tasks, "other": other}
    for name in ("ada", "bo", "cy"):
        room.add(name, "#\n", "other.py")
    Room(room.folder, room.out, both, room.settings).grade()
    changed = Room(room.folder, room.out, {**both, "other": replace(other, sha256="00" * 32)}, room.settings)
    changed.grade()
    assert [task for _, task, _ in changed.asked] == ["other"] * 3


def test_no_cache_grades_everything_again(room: Room) -> None:
    room.grade()
    room.grade(fresh=True)
    assert len(room.asked) == 6


def test_a_report_that_is_gone_or_changed_is_made_again_from_the_store_byte_for_byte(room: Room) -> None:
    room.grade()
    before = files(room)
    (room.out / "ada" / "report.json").unlink()
    (room.out / "bo" / "report.json").write_text("{}")
    room.grade()
    assert len(room.asked) == 3
    assert files(room) == before


def test_a_review_survives_a_regrade(room: Room) -> None:
    room.grade()
    (room.out / "ada" / "review.json").write_text("{}")
    room.grade(fresh=True)
    assert (room.out / "ada" / "review.json").read_text() == "{}"


def test_artifacts_of_an_earlier_grading_are_removed(room: Room) -> None:
    room.grade()
    old = room.out / "ada" / "artifacts" / "adder" / "old.svg"
    old.parent.mkdir(parents=True)
    old.write_text("<svg/>")
    room.grade(fresh=True)
    assert not old.exists()


def test_a_report_that_changes_loses_its_signature_and_no_other_does(room: Room) -> None:
    room.grade()
    for name in ("ada", "bo"):
        (room.out / name / "report.json.sig").write_text("{}")
    room.add("ada", "# another\n")
    room.grade()
    assert [path.parent.name for path in room.out.glob("*/report.json.sig")] == ["bo"]


def test_a_rejected_submission_has_its_report_and_the_batch_goes_on(room: Room) -> None:
    (room.folder / "dan").mkdir()
    (room.folder / "eve").symlink_to(room.folder / "ada")
    room.grade()
    assert states(room) == {"ada": "graded", "bo": "graded", "cy": "graded", "dan": "rejected", "eve": "rejected"}
    show = room.grade()
    assert show.tally.stored == 5


def test_a_task_without_a_file_is_missing_and_nothing_runs_for_it(room: Room) -> None:
    room.add("dan", "x", "notes.txt")
    room.grade()
    assert records(room)["dan"]["tasks"][0]["status"] == "missing"
    assert "dan" not in {name for name, _, _ in room.asked}


def test_what_we_failed_is_tried_again(room: Room) -> None:
    def once(unit: Unit) -> Judged:
        return ungraded(unit, Ungraded("the engine lost it")) if unit.number == 1 else passed(unit)

    room.grade(failing("bo", once))
    assert states(room)["bo"] == "graded"
    assert [number for name, _, number in room.asked if name == "bo"] == [1, 2]


def test_what_stays_broken_is_ungraded_with_the_reason_and_tried_again_by_the_next_run(room: Room) -> None:
    show = room.grade(failing("bo", lambda unit: ungraded(unit, Ungraded("the engine lost it"))))
    assert [number for name, _, number in room.asked if name == "bo"] == [1, 2, 3]
    assert show.tally.counts == {"graded": 2, "ungraded": 1}
    assert "the engine lost it" in records(room)["bo"]["reason"]
    room.grade()
    assert states(room)["bo"] == "graded"
    assert [name for name, _, _ in room.asked[5:]] == ["bo"]


def test_a_broken_suite_is_not_tried_again(room: Room) -> None:
    room.grade(failing("bo", lambda unit: ungraded(unit, TaskBroken("line 3"))))
    assert [number for name, _, number in room.asked if name == "bo"] == [1]
    assert states(room)["bo"] == "ungraded"


def test_a_bug_of_ours_in_one_job_costs_that_submission_alone(room: Room) -> None:
    def bug(_unit: Unit) -> Judged:
        raise ZeroDivisionError

    room.grade(failing("bo", bug))
    assert states(room) == {"ada": "graded", "bo": "ungraded", "cy": "graded"}
    assert "bug in grader: ZeroDivisionError" in records(room)["bo"]["reason"]


def test_without_any_sandbox_the_batch_ends_and_nothing_is_written(room: Room) -> None:
    def none(_unit: Unit, _context: Context) -> Judged:
        raise SandboxUnavailable("no Docker engine answers")

    with pytest.raises(SandboxUnavailable):
        room.grade(none)
    assert records(room) == {}


def test_an_engine_that_comes_back_costs_nothing(room: Room) -> None:
    def away(unit: Unit) -> Judged:
        if unit.number < 3:
            raise SandboxUnavailable("no Docker engine answers")
        return passed(unit)

    room.grade(failing("cy", away), slots=1)
    assert states(room)["cy"] == "graded"


def test_an_interrupt_keeps_what_is_finished_and_the_rest_is_done_by_the_next_run(room: Room) -> None:
    def hang(unit: Unit, context: Context) -> Judged:
        if unit.submission.id == "ada":
            return passed(unit, context)
        context.cancelled.wait(20)
        return ungraded(unit, Ungraded("interrupted"))

    with room.session(hang) as (one, _), pytest.raises(Interrupted):
        one.run(room.found(), (room.out / "ada" / "report.json").exists)
    assert states(room) == {"ada": "graded"}
    with Store(room.out) as store:
        assert store.abandon() == []
    started = len(room.asked)
    room.grade()
    assert sorted(name for name, _, _ in room.asked[started:]) == ["bo", "cy"]


def test_a_full_disk_is_said_in_one_line_and_the_result_is_in_the_store(room: Room) -> None:
    (room.out / "ada").mkdir(parents=True)
    (room.out / "ada" / "report.json").symlink_to("/dev/full")
    with pytest.raises(Ungraded, match="No space left on device.*finished results are kept"):
        room.grade(slots=1)
    (room.out / "ada" / "report.json").unlink()
    room.grade()
    assert [name for name, _, _ in room.asked].count("ada") == 1
    assert len(states(room)) == 3


def test_a_link_in_the_place_of_a_submissions_folder_is_not_followed(room: Room, tmp_path: Path) -> None:
    room.out.mkdir()
    (room.out / "ada").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="is a link"):
        room.grade(slots=1)
    assert not (tmp_path / "report.json").exists()


def test_tasks_of_one_submission_run_side_by_side_where_slots_are_free(room: Room) -> None:
    import threading
    from dataclasses import replace

    both = {**room.tasks, "other": replace(room.tasks["adder"], id="other")}
    alone = Room(room.folder.parent / "one", room.out, both, room.settings)
    alone.add("ada")
    alone.add("ada", "#\n", "other.py")
    meeting = threading.Barrier(2, timeout=20)

    def meet(unit: Unit, context: Context) -> Judged:
        meeting.wait()
        return passed(unit, context)

    alone.grade(meet)
    assert states(alone) == {"ada": "graded"}
