"""Options that several commands share; their help and defaults come from the settings' own table."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from grader.config import OPTIONS, Settings, load_settings
from grader.errors import GraderError
from grader.text import sanitize_line

Command = Callable[..., Any]
COMMON = ("backend", "tasks_dir", "seed", "lang", "gpus", "image", "runtime", "memory_mb", "cpus")
"""Settings of every command that runs candidate code in a sandbox of the user's choice."""


def setting_options(*names: str) -> Callable[[Command], Command]:
    """The options of those settings, and --config."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            option = OPTIONS[name]
            kind = click.Choice(option.choices) if option.choices else None
            shown = f"{option.help}  [env: {option.variable}]"
            command = click.option(option.flag, name, type=kind, metavar=option.metavar or None, help=shown)(command)
        return click.option(
            "--config", type=click.Path(path_type=Path), help="TOML file with settings; no file is read unless given."
        )(command)

    return decorate


def quiet_option(command: Command) -> Command:
    """--quiet."""
    return click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)


def fail_under_option(command: Command) -> Command:
    """--fail-under."""
    return click.option(
        "--fail-under", type=click.FloatRange(0, 100), metavar="PCT", help="Exit with 1 below this percentage."
    )(command)


def settings_from(config: Path | None, flags: dict[str, Any]) -> Settings:
    """The merged settings of a command's flags."""
    return load_settings(config=config, environ=os.environ, flags=flags)


def say(error: GraderError) -> None:
    """Prints an error of ours as one line on standard error."""
    click.echo(f"grader: {sanitize_line(str(error), 1500)}", err=True)
