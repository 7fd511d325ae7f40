"""`grader grade` and `grader check`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.commands.options import COMMON, fail_under_option, quiet_option, say, setting_options, settings_from
from grader.errors import ExitCode, SubmissionRejected

if TYPE_CHECKING:
    from grader.model import Report
    from grader.pipeline import Graded, Request


@click.command("grade")
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where the JSON report goes.")
@setting_options(*COMMON)
@fail_under_option
@quiet_option
def grade_command(
    submission: Path,
    task_ids: tuple[str, ...],
    output: Path | None,
    config: Path | None,
    fail_under: float | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Grade one submission with the hidden tests, its code alone in a container.

    SUBMISSION is a folder, a .zip, .tar.gz or .tar archive, or one .py file.

    \b
    Example:
        grader grade candidates/ada -o out/ada/report.json
        grader grade ada.zip --task cnn_classifier --fail-under 60
    """
    from grader.pipeline import Request
    from grader.task import load_tasks

    settings = settings_from(config, flags)
    tasks = load_tasks(settings.tasks_dir, task_ids)
    request = Request(tasks=tasks, settings=settings, pictures=output is not None)
    graded = _run(submission, request, quiet=quiet)
    report = _saved(graded, output)
    if not quiet:
        _show(report, settings.lang)
    return _exit_code(graded, fail_under)


@click.command("check")
@click.argument("submission", type=click.Path(path_type=Path), default=".")
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@setting_options("tasks_dir", "lang", "memory_mb")
@fail_under_option
@quiet_option
def check_command(
    submission: Path,
    task_ids: tuple[str, ...],
    config: Path | None,
    fail_under: float | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Check your own submission with the public tests: no Docker needed, nothing hidden involved.

    The code runs as you, without isolation: check only what you wrote or trust.

    \b
    Example:
        grader check my_folder/
        grader check my_folder/ --task cnn_classifier --lang zh
    """
    from grader.pipeline import Request
    from grader.task import load_tasks

    settings = settings_from(config, {**flags, "backend": "process"})
    tasks = load_tasks(settings.tasks_dir, task_ids)
    request = Request(tasks=tasks, settings=settings, suites=("public",), only_present=True)
    if not quiet:
        click.echo("Self-check: public tests, your code runs on this machine without isolation.", err=True)
    graded = _run(submission, request, quiet=quiet)
    if graded.error is not None and isinstance(graded.error, SubmissionRejected):
        raise graded.error
    if not quiet:
        _show(graded.report, settings.lang)
    return _exit_code(graded, fail_under)


def _run(submission: Path, request: Request, *, quiet: bool) -> Graded:
    from grader.pipeline import grade
    from grader.progress import Progress

    with Progress(enabled=not quiet) as progress:
        return grade(submission, request, progress.check)


def _saved(graded: Graded, output: Path | None) -> Report:
    """The report as it was written to `output`, its artifacts beside it."""
    if output is None:
        return graded.report
    from grader.reports.artifacts import save

    return save(graded.report, graded.files, output)


def _show(report: Report, lang: str) -> None:
    from grader.reports.as_json import to_json
    from grader.reports.as_text import render

    terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 100
    click.echo(render(to_json(report), lang, color=terminal, width=min(width, 120)), nl=False)


def _exit_code(graded: Graded, fail_under: float | None) -> int:
    if graded.error is not None:
        say(graded.error)
        return graded.error.exit_code
    if fail_under is not None and graded.report.score.percent < fail_under:
        return ExitCode.BELOW_THRESHOLD
    return ExitCode.GRADED
