"""A stored result fits exactly while nothing that it depends on has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.batch.keys import Ground, report_key
from grader.config import Settings
from grader.model import Entry, Submission, Task
from tests.samples import SUBMISSION, TASK

GROUND = Ground(settings=Settings(), seed=1, image="sha256:1", devices=())
ANSWERED = replace(SUBMISSION, entries={"toy": Entry(path="toy.py")})
WRITTEN = replace(TASK, id="written", kind="written")


@pytest.mark.parametrize(
    "ground",
    [
        replace(GROUND, seed=2),
        replace(GROUND, image="sha256:2"),
        replace(GROUND, settings=Settings(backend="process")),
        replace(GROUND, settings=Settings(runtime="runsc")),
        replace(GROUND, settings=Settings(memory_mb=512)),
    ],
)
def test_what_code_runs_on_is_part_of_its_key_and_not_of_a_written_answers(ground: Ground) -> None:
    assert ground.key(TASK, ANSWERED) != GROUND.key(TASK, ANSWERED)
    assert ground.key(WRITTEN, ANSWERED) == GROUND.key(WRITTEN, ANSWERED)


@pytest.mark.parametrize(
    ("task", "submission"),
    [
        (replace(TASK, sha256="00" * 32), ANSWERED),
        (TASK, replace(ANSWERED, sha256="00" * 32)),
        (TASK, replace(ANSWERED, entries={"toy": Entry(path="other.py")})),
        (TASK, replace(ANSWERED, entries={"toy": Entry(path="toy.py", problem="two")})),
    ],
)
def test_task_suite_and_submission_are_part_of_the_key(task: Task, submission: Submission) -> None:
    assert GROUND.key(task, submission) != GROUND.key(TASK, ANSWERED)


def test_a_device_matters_only_to_a_task_that_may_use_one() -> None:
    ground = replace(GROUND, devices=("H100",))
    optional = replace(TASK, gpu="optional")
    assert ground.key(TASK, ANSWERED) == GROUND.key(TASK, ANSWERED)
    assert ground.key(optional, ANSWERED) != GROUND.key(optional, ANSWERED)


def test_a_language_model_is_part_of_the_key_of_written_answers_alone() -> None:
    ground = replace(GROUND, settings=Settings(llm_base_url="http://x", llm_model="m"))
    assert ground.key(WRITTEN, ANSWERED) != GROUND.key(WRITTEN, ANSWERED)
    assert ground.key(TASK, ANSWERED) == GROUND.key(TASK, ANSWERED)


def test_names_change_the_report_and_no_result() -> None:
    other = replace(ANSWERED, candidate="Bo")
    assert GROUND.key(TASK, other) == GROUND.key(TASK, ANSWERED)
    assert report_key(other, []) != report_key(ANSWERED, [])
