"""The Python interface: `from grader import grade, load_task, Report`. The command line calls the same functions.

What a candidate did wrong is in the report. What we could not do is in it as well (`status` and `reason`), so that a
loop over many submissions goes on; only what stops every submission is raised.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from grader import pipeline, task
from grader.atomic import check_writable
from grader.batch.slots import make_slots
from grader.config import Settings
from grader.errors import GraderError, UsageError
from grader.model import Report, Task
from grader.pipeline import Graded, OnCheck, OnOpinion, Request
from grader.reports import artifacts, as_json

OnFault = Callable[[GraderError], None]
"""Told why a report says `rejected` or `ungraded`: the exception behind it."""


def load_task(name: str | Path, *, tasks_dir: str | Path | None = None) -> Task:
    """The task called `name` in `tasks_dir` (by default the tasks beside the package), or the one in a folder.

    A `Path`, or a name with a slash, is a folder. Raises UsageError where there is none, TaskBroken where it is wrong.
    """
    if isinstance(name, Path) or "/" in name:
        return task.load_task(Path(name))
    return task.load_tasks(Path(tasks_dir) if tasks_dir else Settings().tasks_dir, [name])[name]


def load_report(path: str | Path) -> Report:
    """The report in a `report.json`. Raises UsageError where there is none."""
    return as_json.read_report(Path(path))


def grade(  # noqa: PLR0913 -- all but two are by keyword, and most callers need none of them
    submission: str | Path,
    tasks: Iterable[str | Path | Task] = (),
    *,
    settings: Settings | None = None,
    output: str | Path | None = None,
    on_check: OnCheck | None = None,
    on_opinion: OnOpinion | None = None,
    on_fault: OnFault | None = None,
    on_note: Callable[[str], None] | None = None,
    jobs: int | None = None,
) -> Report:
    """Grades a submission with public and hidden tests; in a container unless `settings` say otherwise.

    `tasks` are names, folders or loaded tasks; all of `settings.tasks_dir` where there are none. With `output` the
    report is written there, its pictures beside it. `on_check` is told of each finished check (task id, result),
    `on_note` of what is wrong with the machine while the grading goes on; all are called from the caller's thread.
    `jobs` tasks, or parts of one, are graded at a time, by default as many as cores, memory and GPUs carry.

    Raises UsageError for a path that does not exist or cannot be written, TaskBroken for a task that cannot be read,
    SandboxUnavailable where nothing can be run.
    """
    chosen = settings or Settings()
    loaded = _tasks(tasks, chosen)
    if output is not None:
        check_writable(Path(output))
    request = Request(
        tasks=loaded, settings=chosen, pictures=output is not None, on_opinion=on_opinion, on_note=on_note,
        slots=_slots(jobs, loaded, chosen),
    )  # fmt: skip
    graded = pipeline.grade(Path(submission), request, on_check)
    return _told(_saved(graded, output), graded, on_fault)


def check(
    submission: str | Path,
    tasks: Iterable[str | Path | Task] = (),
    *,
    settings: Settings | None = None,
    on_check: OnCheck | None = None,
    on_fault: OnFault | None = None,
    jobs: int | None = None,
) -> Report:
    """The candidate's self-check: public tests alone, in a child process without isolation, for what is there.

    Raises UsageError, also where nothing is there to check (SubmissionRejected), and TaskBroken.
    """
    chosen = replace(settings or Settings(), backend="process")
    loaded = _tasks(tasks, chosen)
    request = Request(
        tasks=loaded, settings=chosen, suites=("public",), only_present=True, slots=_slots(jobs, loaded, chosen)
    )
    graded = pipeline.grade(Path(submission), request, on_check)
    return _told(graded.report, graded, on_fault)


def _tasks(wanted: Iterable[str | Path | Task], settings: Settings) -> dict[str, Task]:
    """The tasks by id, in the order given."""
    if isinstance(wanted, str | Path):
        raise UsageError(f"tasks is one name, {str(wanted)!r}, not several", hint=f"tasks=[{str(wanted)!r}]")
    loaded = [row if isinstance(row, Task) else load_task(row, tasks_dir=settings.tasks_dir) for row in wanted]
    return {row.id: row for row in loaded} if loaded else task.find_tasks(settings.tasks_dir)


def _slots(jobs: int | None, tasks: Mapping[str, Task], settings: Settings) -> int:
    """How many tasks, or parts of them, run at a time. A device goes to one task, which is not shared then."""
    code = [task for task in tasks.values() if task.kind == "code"]
    alone = len(tasks) == 1 and (not code or (settings.gpus != "none" and code[0].gpu != "none"))
    return 1 if alone else len(make_slots(jobs, tasks.values(), settings))


def _saved(graded: Graded, output: str | Path | None) -> Report:
    """The report as it was written, where it was."""
    return artifacts.save(graded.report, graded.files, Path(output)) if output else graded.report


def _told(report: Report, graded: Graded, on_fault: OnFault | None) -> Report:
    if graded.error is not None and on_fault is not None:
        on_fault(graded.error)
    return report
