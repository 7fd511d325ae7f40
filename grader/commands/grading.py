"""`grader grade` and `grader check`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.commands.options import (
    COMMON,
    fail_under_option,
    jobs_option,
    quiet_option,
    say,
    setting_options,
    settings_from,
    settings_in_kit,
    sign_key_option,
)
from grader.errors import ExitCode, GraderError, SubmissionRejected, UsageError

if TYPE_CHECKING:
    from grader.kit.finding import Kit
    from grader.model import Report, Task
    from grader.progress import Progress


@click.command("grade")
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where the JSON report goes.")
@jobs_option
@setting_options(*COMMON, "llm_base_url", "llm_model")
@sign_key_option
@fail_under_option
@quiet_option
def grade_command(  # noqa: PLR0913, PLR0917 - one parameter for each option, passed by name
    submission: Path,
    task_ids: tuple[str, ...],
    output: Path | None,
    jobs: int | None,
    sign_key: Path | None,
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
    from grader import api
    from grader.task import load_tasks

    settings = settings_from(config, flags)
    tasks = load_tasks(settings.tasks_dir, task_ids).values()
    signer = _signer(sign_key, output)  # a key that cannot be read is said before anything runs
    faults: list[GraderError] = []
    with _progress(quiet=quiet) as progress:
        report = api.grade(
            submission, tasks, settings=settings, output=output, on_check=progress.check,
            on_opinion=progress.opinion, on_fault=faults.append,
            on_note=lambda line: click.echo(line, err=True), jobs=jobs,
        )  # fmt: skip
    if signer is not None and output is not None:
        signer(output)
    if not quiet:
        _show(report, settings.lang)
    return _exit_code(report, faults, fail_under)


def _signer(key: Path | None, output: Path | None) -> Callable[[Path], Path] | None:
    """Signs a written report; None without a key. Raises UsageError for one that cannot be read."""
    if key is None:
        return None
    from grader.reports.signature import load_private, sign

    if output is None:
        raise UsageError("--sign-key signs the report that -o writes", hint="-o report.json")
    private = load_private(key)
    return lambda path: sign(path, private)


@click.command("check")
@click.argument("submission", type=click.Path(path_type=Path), required=False)
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@jobs_option
@setting_options("tasks_dir", "lang", "memory_mb")
@fail_under_option
@quiet_option
def check_command(
    submission: Path | None,
    task_ids: tuple[str, ...],
    jobs: int | None,
    config: Path | None,
    fail_under: float | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Check your own submission with the public tests: no Docker needed, nothing hidden involved.

    The code runs as you, without isolation: check only what you wrote or trust. Inside a kit, which is known by
    grader-kit.json in the current folder or above it, the tasks are the kit's, and SUBMISSION is its folder submission/
    unless given.

    \b
    Example:
        grader check my_folder/
        grader check my_folder/ --task cnn_classifier --lang zh
        grader check
    """
    from grader import api
    from grader.task import load_tasks

    settings, kit = settings_in_kit(config, flags)
    tasks = load_tasks(settings.tasks_dir, task_ids)
    if not quiet:
        _say_check(kit, tasks, settings.lang)
    faults: list[GraderError] = []
    with _progress(quiet=quiet) as progress:
        report = api.check(
            submission or (kit.work if kit else Path()), tasks.values(), settings=settings, on_check=progress.check,
            on_fault=faults.append, jobs=jobs,
        )  # fmt: skip
    for fault in faults:
        if isinstance(fault, SubmissionRejected):
            raise fault
    if not quiet:
        _show(report, settings.lang)
    return _exit_code(report, faults, fail_under)


def _progress(*, quiet: bool) -> Progress:
    from grader.progress import Progress

    return Progress(enabled=not quiet)


_SAID = {
    "en": {
        "check": "Self-check: public tests, your code runs on this machine without isolation.",
        "kit": "Tasks of the kit in {}",
        "changed": "tasks/{} was changed since the kit was made: the grading uses the original",
    },
    "zh": {
        "check": "自查：只运行公开测试，你的代码直接在本机运行，没有隔离。",
        "kit": "题目来自题包 {}",
        "changed": "tasks/{} 在题包生成后被修改过：正式评分使用原件",
    },
}


def _say_check(kit: Kit | None, tasks: Mapping[str, Task], lang: str) -> None:
    """What is about to run; where the tasks come from when nobody named them, and which are not as handed out."""
    said = _SAID["zh" if lang == "zh" else "en"]
    click.echo(said["check"], err=True)
    if kit is None:
        return
    click.echo(said["kit"].format(kit.root), err=True)
    for name in kit.changed(tasks):
        click.echo(said["changed"].format(name), err=True)


def _show(report: Report, lang: str) -> None:
    from grader.reports.as_json import to_json
    from grader.reports.as_text import render

    terminal = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 100
    click.echo(render(to_json(report), lang, color=terminal, width=min(width, 120)), nl=False)


def _exit_code(report: Report, faults: Sequence[GraderError], fail_under: float | None) -> int:
    for fault in faults:
        say(fault)
        return fault.exit_code
    if fail_under is not None and report.score.percent < fail_under:
        return ExitCode.BELOW_THRESHOLD
    return ExitCode.GRADED
