"""Options that several commands share; their help and defaults come from the settings' own table."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.config import OPTIONS, Settings, load_settings
from grader.errors import GraderError, UsageError
from grader.text import sanitize_line

if TYPE_CHECKING:
    from grader.kit.finding import Kit

Command = Callable[..., Any]
COMMON = ("backend", "tasks_dir", "seed", "lang", "gpus", "image", "runtime", "memory_mb", "cpus")
"""Settings of every command that runs candidate code in a sandbox of the user's choice."""
_language: ContextVar[str] = ContextVar("language", default="en")
"""Of the command that runs, once its settings are known."""
_PACKAGE_HELP = "Installed package with the tasks, instead of --tasks-dir."


def setting_options(*names: str) -> Callable[[Command], Command]:
    """The options of those settings, and --config."""

    def decorate(command: Command) -> Command:
        for name in reversed(names):
            option = OPTIONS[name]
            kind = click.Choice(option.choices) if option.choices else None
            shown = f"{option.help}  [env: {option.variable}]"
            command = click.option(option.flag, name, type=kind, metavar=option.metavar or None, help=shown)(command)
        if "tasks_dir" in names:
            command = click.option("--tasks-package", metavar="NAME", help=_PACKAGE_HELP)(command)
        return click.option(
            "--config", type=click.Path(path_type=Path), help="TOML file with settings; no file is read unless given."
        )(command)

    return decorate


def quiet_option(command: Command) -> Command:
    """--quiet."""
    return click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")(command)


def jobs_option(command: Command) -> Command:
    """--jobs."""
    return click.option(
        "--jobs", "-j", type=click.IntRange(1, 1024), metavar="N",
        help="Tasks, or parts of one, at a time; by default what cores, memory and GPUs carry.",
    )(command)  # fmt: skip


def fail_under_option(command: Command) -> Command:
    """--fail-under."""
    return click.option(
        "--fail-under", type=click.FloatRange(0, 100), metavar="PCT", help="Exit with 1 below this percentage."
    )(command)


def sign_key_option(command: Command) -> Command:
    """--sign-key."""
    return click.option(
        "--sign-key",
        metavar="KEY.pem",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Sign the report with this Ed25519 key; the signature lies beside it.",
    )(command)


def settings_from(config: Path | None, flags: dict[str, Any]) -> Settings:
    """The merged settings of a command's flags; --tasks-package is another way to say --tasks-dir."""
    given = dict(flags)
    package = given.pop("tasks_package", None)
    if package is not None:
        from grader.installed import tasks_of

        if given.get("tasks_dir") is not None:
            raise UsageError("--tasks-dir and --tasks-package both name the tasks", hint="give one of them")
        given["tasks_dir"] = tasks_of(package)
    settings = load_settings(config=config, environ=os.environ, flags=given)
    _language.set(settings.lang)
    if "llm_model" in flags and bool(settings.llm_base_url) != bool(settings.llm_model):
        # Said before anything runs; a command without these flags does not care.
        missing = "llm_model" if settings.llm_base_url else "llm_base_url"
        option = OPTIONS[missing]
        raise UsageError(f"a second opinion needs {option.flag}", hint=f"or {option.variable}; else unset the other")
    return settings


def settings_in_kit(config: Path | None, flags: dict[str, Any]) -> tuple[Settings, Kit | None]:
    """The settings of a command for candidates: where nothing names the tasks, the kit around the current folder does.

    Never for a command that grades: what lies in a folder must not decide what is graded.
    """
    from grader.kit.finding import find_kit

    settings = settings_from(config, flags)
    by_flag = any(flags.get(name) is not None for name in ("tasks_dir", "tasks_package"))
    by_default = settings.tasks_dir == Settings().tasks_dir and not os.environ.get(OPTIONS["tasks_dir"].variable)
    kit = find_kit(Path.cwd()) if by_default and not by_flag else None
    return (replace(settings, tasks_dir=kit.tasks_dir), kit) if kit else (settings, None)


def say(error: GraderError) -> None:
    """Prints an error of ours as one line on standard error, in the language of the command's settings."""
    from grader.reports.error_words import error_in_words

    click.echo(f"grader: {sanitize_line(error_in_words(error, _language.get()), 1500)}", err=True)
