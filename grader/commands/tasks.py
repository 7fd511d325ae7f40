"""`grader tasks list | show | new | validate`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from grader.commands.options import COMMON, quiet_option, setting_options, settings_from, settings_in_kit


@click.group("tasks")
def tasks_group() -> None:
    """List, show, begin and prove tasks."""


@tasks_group.command("list")
@setting_options("tasks_dir", "lang")
def tasks_list(config: Path | None, **flags: Any) -> None:
    """List the tasks.

    \b
    Example:
        grader tasks list
    """
    from grader.task import find_tasks

    settings, _ = settings_in_kit(config, flags)
    for task in find_tasks(settings.tasks_dir).values():
        points = f"{task.possible:6g}" if task.criteria else "     -"  # a kit has no rubrics of written questions
        click.echo(f"{task.id:20} {task.version:6} {points} points  {task.title.in_language(settings.lang)}")


@tasks_group.command("show")
@click.argument("task_id", metavar="T")
@setting_options("tasks_dir", "lang")
def tasks_show(task_id: str, config: Path | None, **flags: Any) -> None:
    """Show what a candidate reads: the prompt, then the points.

    \b
    Example:
        grader tasks show cnn_classifier --lang zh
    """
    from grader.task import load_tasks

    settings, _ = settings_in_kit(config, flags)
    task = load_tasks(settings.tasks_dir, [task_id])[task_id]
    localized = Path(task.root, "PROMPT.zh.md")
    prompt = localized if settings.lang == "zh" and localized.is_file() else Path(task.root, "PROMPT.md")
    click.echo(prompt.read_text(encoding="utf-8"))
    for criterion in task.criteria:
        name = f"{criterion.id}  " if task.kind == "written" else ""  # by which an answer is filed
        click.echo(f"{criterion.points:6g}  {name}{criterion.title.in_language(settings.lang)}")


@tasks_group.command("new")
@click.argument("name", metavar="NAME")
@click.option(
    "--output", "-o", metavar="DIR", default=".", type=click.Path(path_type=Path, file_okay=False),
    help="Where tasks/NAME and reference/NAME go; the current folder unless given.",
)  # fmt: skip
@quiet_option
def tasks_new(name: str, output: Path, quiet: bool) -> None:  # noqa: FBT001 - click's way
    """Begin a task: a small one that works, with suites, a reference and a mutant, to be changed into yours.

    \b
    Example:
        grader tasks new tokenizer -o my_tasks
        grader tasks validate tokenizer --tasks-dir my_tasks/tasks
    """
    from grader.scaffold import new_task

    roots = new_task(name, output)
    if not quiet:
        click.echo(f"made {' and '.join(map(str, roots))}; prove it before and after each change:")
        click.echo(f"  grader tasks validate {name} --tasks-dir {output / 'tasks'}")


@tasks_group.command("validate")
@click.argument("task_id", metavar="[T]", required=False)
@click.option("--references", type=click.Path(path_type=Path), help="Folder with reference solutions.")
@click.option("--candidates", type=click.Path(path_type=Path), help="Folder with samples.")
@click.option("--jobs", "-j", type=click.IntRange(1), help="Submissions at a time; by default one for each core.")
@click.option("--only", metavar="WORD", help="Only cases whose name or kind contains WORD.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="What each case got, as JSON.")
@setting_options(*COMMON)
@quiet_option
def tasks_validate(  # noqa: PLR0913, PLR0917 - one parameter for each option, passed by name
    task_id: str | None,
    references: Path | None,
    candidates: Path | None,
    jobs: int | None,
    only: str | None,
    output: Path | None,
    config: Path | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Prove a task: reference and styles get full marks, every mutant and sample what it declares.

    \b
    Example:
        grader tasks validate cnn_classifier
        grader tasks validate cnn_classifier --only mutant --backend process
        grader tasks validate -o out/validation.json
    """
    from grader.atomic import write_text
    from grader.validation import Validation

    settings = settings_from(config, flags)
    validation = Validation(settings, references, candidates, jobs or os.cpu_count() or 1, only or "")
    code = validation.run([task_id] if task_id else [], click.echo if not quiet else lambda _line: None)
    if output is not None:
        write_text(output, json.dumps({"cases": validation.records}, indent=1, ensure_ascii=False) + "\n")
    return code
