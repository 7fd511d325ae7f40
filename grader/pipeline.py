"""From a path to a scored report, in one screen: load, resolve, judge each task, score.

A step gives a value or raises. What the candidate did wrong is in the report; what we could not do is a
`GraderError`, kept beside a report that says `ungraded`, so that nothing is lost and nobody gets a zero for it.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import secrets
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from grader import __version__
from grader.config import Settings, cache_folder
from grader.errors import GraderError, SubmissionRejected, TaskBroken, Ungraded
from grader.judge.crew import Crews
from grader.judge.helping import Helpers
from grader.judge.job import Job
from grader.judge.launch import Start, run_judge
from grader.judge.starting import StartedJudge
from grader.judge.warm import shared_start
from grader.model import CheckResult, Json, Report, Run, Submission, Task, TaskResult, TaskStatus
from grader.runners.pool import Pool
from grader.runners.protocol import Context, Slot
from grader.runners.together import run_all
from grader.sandbox.leases import Lease, leased
from grader.scoring import artifact_path, rejected_report, restricted_to, score_report
from grader.selection import code_tasks, wanted_tasks, with_notes
from grader.submission import load_submission, submission_id

GPU_HOST_BYTES: Final = 2 * 1024**3
GPU_PIDS: Final = 256
"""A process with a CUDA context holds some gigabytes of libraries on the host, and starts threads of its own."""

OnCheck = Callable[[str, CheckResult], None]
"""Told of each finished check: task id and result."""

OnOpinion = Callable[[str, str], None]
"""Told of each point that a language model has marked: question id and point id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A report, and the error of ours or of intake that decides the exit code (None where there is none)."""

    report: Report
    error: GraderError | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The report's artifacts by their path; `reports.artifacts` keeps them beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to grade: which tasks, with which suites, where."""

    tasks: Mapping[str, Task]
    settings: Settings
    suites: tuple[str, ...] = ("public", "hidden")
    only_present: bool = False
    """Leave tasks out that the submission does not answer (self-check), instead of scoring them 0."""
    slots: int = 1
    """How many tasks are graded at a time; what is left over takes part in one of them."""
    slot: int = 0
    """Where there is one task at a time: the place that it has, from 0."""
    cores: tuple[int, ...] = ()
    """Cores of the judges and their sandboxes; () for all."""
    pictures: bool = False
    """Draw the pictures of a run: only where somebody keeps them."""
    start: Start = StartedJudge
    """Where judges come from."""
    crews: Crews | None = None
    """Where others find a task that runs, to take part in it."""
    on_opinion: OnOpinion | None = None
    on_note: Callable[[str], None] | None = None
    """Told one line of something that is wrong with the machine, while the grading goes on."""
    cancelled: threading.Event | None = None
    """Set by another thread to stop soon."""


def grade(path: Path, request: Request, on_check: OnCheck | None = None) -> Graded:
    """Grades one submission.

    Raises UsageError for a path that does not exist, SandboxUnavailable where nothing can be run at all.
    """
    started, run = time.monotonic(), new_run(request.settings)
    try:
        submission = load_submission(path, code_tasks(request.tasks))
    except SubmissionRejected as error:
        name = submission_id(path, code_tasks(request.tasks))
        return Graded(report=rejected_report(name, str(error), request.tasks.values(), run), error=error)
    tasks = wanted_tasks(submission, request.tasks, suites=request.suites, only_present=request.only_present)
    submission = submission if "hidden" in request.suites else with_notes(submission, request.tasks)
    results, fault = _judge_all(tasks, submission, request, run, on_check)
    report = score_report(submission, results, run)
    finished = dataclasses.replace(report.run, duration_s=round(time.monotonic() - started, 3))
    files = {artifact_path(r.task.id, file): file.content for r in results for file in r.artifacts}
    return Graded(report=dataclasses.replace(report, run=finished), error=fault, files=files)


def _judge_all(
    tasks: list[Task], submission: Submission, request: Request, run: Run, on_check: OnCheck | None
) -> tuple[list[TaskResult], GraderError | None]:
    answered = sum(task.id in submission.entries for task in tasks)
    slots = request.slots if answered else 1
    with shared_start(request.start, slots, several=answered > 1 or slots > 1) as start:
        request = dataclasses.replace(request, start=start)
        if slots > 1:
            judged = _side_by_side(tasks, submission, request, run, on_check)
        else:
            judged = [judge_task(task, submission, request, run, on_check) for task in tasks]
    errors = [one.error for one in judged if one.error is not None]
    return [one.result for one in judged], errors[0] if errors else None


def _side_by_side(
    tasks: list[Task], submission: Submission, request: Request, run: Run, on_check: OnCheck | None
) -> list[Judged]:
    """As one after the other, in several slots; the caller's functions are called in the caller's thread."""
    crews = Crews()

    def label(task: Task) -> str:
        """Of its sandboxes: where one task fails, what is removed must not be another's."""
        return f"{run.id}-{task.id}"

    def work(task: Task, context: Context) -> Judged:
        def through(call: Callable[..., None] | None) -> Callable[..., None] | None:
            return (lambda *said: context.tell(partial(call, *said))) if call else None

        mine = dataclasses.replace(
            request,
            slot=context.slot.number,
            crews=crews,
            cancelled=context.cancelled,
            on_opinion=through(request.on_opinion),
            on_note=through(request.on_note),
        )
        return judge_task(task, submission, mine, dataclasses.replace(run, id=label(task)), through(on_check))

    slots = [Slot(number=number) for number in range(request.slots)]
    pool: Pool[Task, Judged] = Pool(work, slots, helper=Helpers(crews, label, request.start))
    longest_first = sorted(tasks, key=lambda task: -task.limits.task_cpu_s)
    judged = run_all(pool, longest_first, lambda call: call())
    by_task = {task.id: one for task, one in zip(longest_first, judged, strict=True)}
    return [by_task[task.id] for task in tasks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one task's run gave; `error` is ours, and the result is then ungraded."""

    result: TaskResult
    error: GraderError | None = None


def judge_task(
    task: Task, submission: Submission, request: Request, run: Run, on_check: OnCheck | None = None
) -> Judged:
    """Grades one task of a submission that was loaded. Raises SandboxUnavailable where nothing can be run."""
    try:
        result = _judge(task, submission, request, run, on_check)
    except (TaskBroken, Ungraded) as error:
        return Judged(result=TaskResult(task=task, status=TaskStatus.UNGRADED, reason=str(error)), error=error)
    return Judged(result=result, error=_our_error(result) if result.status is TaskStatus.UNGRADED else None)


def _our_error(result: TaskResult) -> GraderError:
    """The error behind an ungraded task whose judge came to its end."""
    message = f"task {result.task.id} could not be graded: {result.reason}"
    broken = any(check.outcome == "task_broken" for check in result.checks)
    return TaskBroken(message, hint="a fault of the suite; no point was lost") if broken else Ungraded(message)


def _judge(task: Task, submission: Submission, request: Request, run: Run, on_check: OnCheck | None) -> TaskResult:
    if task.kind == "written":
        return _written(task, submission, request)
    if task.id not in submission.entries:
        return TaskResult(task=task, status=TaskStatus.MISSING, reason=f"no file answers {task.id}")
    settings = request.settings
    stop = request.cancelled.is_set if request.cancelled else bool
    with leased(settings.gpus, task, settings.backend, stop, request.on_note) as lease:
        job = job_for(task, submission, request, run, lease)
        told = (lambda check: on_check(task.id, check)) if on_check else None
        result = run_judge(job, told, request.cancelled, request.start, request.crews)
    if "hidden" not in request.suites:
        result = dataclasses.replace(result, task=restricted_to(task, [check.spec for check in result.checks]))
    return _with_gpu(result, lease, task, settings)


def job_for(task: Task, submission: Submission, request: Request, run: Run, lease: Lease | None = None) -> Job:
    """What a judge is given for a code task that a file answers, with the device that was leased for it."""
    settings, lease = request.settings, lease or Lease()
    return Job(
        task=within(task, settings, gpu=lease.device is not None),
        submission=submission,
        entry=submission.entries[task.id],
        seed=run.seed,
        backend=settings.backend,
        run_id=run.id,
        suites=request.suites,
        image=settings.image or "",
        gpus=lease.uuids,
        runtime=settings.runtime or "",
        slot=request.slot,
        cores=request.cores,
        pictures=request.pictures,
    )


def _with_gpu(result: TaskResult, lease: Lease, task: Task, settings: Settings) -> TaskResult:
    """The result with what the trusted side knows of the device, or why there was none; limits stay the task's."""
    if lease.facts is None or result.facts is None:
        return result
    extra = {"host_memory_bytes": GPU_HOST_BYTES} if lease.device and not settings.memory_mb else {}
    return dataclasses.replace(
        result,
        task=dataclasses.replace(result.task, limits=within(task, settings).limits),
        facts=dataclasses.replace(result.facts, gpu=lease.facts | extra),
        resources=dataclasses.replace(result.resources, gpu_mem_bytes=lease.peak_bytes),
        notes=(*result.notes, *lease.notes),
    )


def _written(task: Task, submission: Submission, request: Request) -> TaskResult:
    # Most gradings are of code alone, and need neither rubrics nor what reads them.
    from grader.written.second import is_wanted, with_second_opinion
    from grader.written.task import grade_written

    settings = request.settings
    result = grade_written(task, submission)
    if result.status is not TaskStatus.GRADED or not is_wanted(settings):
        return result
    told = request.on_opinion
    on_point = (lambda question, row: told(question, row.point)) if told else None
    return with_second_opinion(task, submission, result, settings, cache_folder() / "llm", on_point)


def within(task: Task, settings: Settings, *, gpu: bool = False) -> Task:
    """The task with the limits that the settings override, and what CUDA itself needs of the host with `gpu`."""
    limits = task.limits
    changes: Json = (
        {"memory_bytes": limits.memory_bytes + GPU_HOST_BYTES, "pids": max(limits.pids, GPU_PIDS)} if gpu else {}
    )
    if settings.memory_mb:
        changes["memory_bytes"] = settings.memory_mb * 1024**2
    if settings.cpus:
        changes["cpus"] = settings.cpus
    return dataclasses.replace(task, limits=dataclasses.replace(limits, **changes))


def new_run(settings: Settings) -> Run:
    """The run of one submission under these settings, with a fresh id and, unless one is given, a secret seed."""
    return Run(
        id=uuid.uuid4().hex,
        backend=settings.backend,
        isolated=False,
        seed=settings.seed if settings.seed is not None else secrets.randbits(62),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        host={
            "system": platform.system(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "cpus": os.cpu_count() or 0,
        },
        versions={"grader": __version__, "judge_python": platform.python_version()},
    )
