"""A stored result fits exactly while nothing that it depends on has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.batch.assembly import is_lasting
from grader.batch.keys import Ground, devices_of, report_key
from grader.config import Settings
from grader.model import Entry, Json, SandboxFacts, Submission, Task, TaskResult, TaskStatus
from grader.store import Kept
from tests.samples import SUBMISSION, TASK
from tests.sandbox.driver import Driver, driver, gpu

__all__ = ["driver"]

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


def test_models_of_the_devices_that_jobs_get_are_what_counts(driver: Driver) -> None:
    driver.has(gpu("GPU-0"), gpu("GPU-1"))
    assert devices_of(Settings(gpus="none")) == ()
    assert devices_of(Settings(gpus="GPU-1")) == devices_of(Settings(gpus="0,1")) == ("NVIDIA RTX A5000",)
    driver.has()
    assert devices_of(Settings(gpus="auto")) == ()


@pytest.mark.parametrize(
    ("seen", "lasting"),
    [
        (None, True),
        ({"devices": [{"uuid": "GPU-0"}]}, True),
        ({"devices": [], "reason": "no NVIDIA GPU is visible on this machine", "passing": False}, True),
        ({"devices": [], "reason": "GPU 0 is in use by process 7 of grader", "passing": True}, False),
    ],
)
def test_a_result_of_the_cpu_is_asked_for_again_where_a_gpu_was_only_taken(seen: Json | None, *, lasting: bool) -> None:
    facts = SandboxFacts(backend="docker", isolated=True, gpu=seen)
    graded = TaskResult(task=TASK, status=TaskStatus.GRADED, facts=facts)
    assert is_lasting(Kept(result=graded, started_at="", seconds=1.0)) is lasting
