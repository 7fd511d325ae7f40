"""`grader kit`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grader.commands.options import quiet_option, setting_options, settings_from
from grader.errors import UsageError


@click.command("kit")
@click.argument("task_ids", metavar="T...", nargs=-1)
@click.option("--output", "-o", metavar="DIR", required=True, type=click.Path(path_type=Path), help="A new folder.")
@click.option("--all", "everything", is_flag=True, help="A kit of all tasks.")
@setting_options("tasks_dir")
@quiet_option
def kit_command(
    task_ids: tuple[str, ...],
    output: Path,
    everything: bool,  # noqa: FBT001 - click's way
    config: Path | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> None:
    """Make what a candidate receives: prompts, starters, public tests, this grader as a wheel; nothing hidden.

    DIR must be empty or absent. In it lie a README with the two commands that a candidate needs, and a folder to work
    in.

    \b
    Example:
        grader kit cnn_classifier -o out/kit
        grader kit --all -o out/kit
    """
    from grader.kit.writing import write_kit
    from grader.task import load_tasks

    if everything == bool(task_ids):
        raise UsageError(
            "a kit is made of some tasks or of all", hint="grader kit T -o DIR, or grader kit --all -o DIR"
        )
    tasks = load_tasks(settings_from(config, flags).tasks_dir, task_ids)
    kit = write_kit(tasks, output)
    if not quiet:
        click.echo(f"{output}: {', '.join(kit.digests)}. Hand out the whole folder; README.md has the two commands.")
