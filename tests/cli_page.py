"""docs/cli.md, made from the commands themselves: `python -m tests.cli_page > docs/cli.md`.

tests/test_docs.py compares the file with what this makes, so that the page cannot say something else than `--help`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from grader.cli import cli
from grader.errors import ExitCode

INTRODUCTION = """\
# Commands

Made from the commands themselves by `python -m tests.cli_page > docs/cli.md`; do not edit.

Settings come from flags, `GRADER_*` environment variables and the file given with `--config`, in this order of
precedence; never from a submission or the current folder. The file is TOML with one key for each setting:

```toml
lang = "zh"
memory_mb = 4096
```

`--debug`, anywhere on the line, shows the traceback of an error; `--help` works for each command. What a command
reports goes to standard output, progress and errors go to standard error.
"""


def walk(group: click.Group, prefix: str = "grader") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with its full name."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from walk(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def text_and_examples(command: click.Command) -> tuple[str, list[str]]:
    """The description, and the lines of the example, of a command's help."""
    lines = [line for line in inspect.cleandoc(command.help or "").splitlines() if line.strip() not in ("\b", "\\b")]
    start = next((number for number, line in enumerate(lines) if line.strip() == "Example:"), len(lines))
    examples = [line.strip() for line in lines[start + 1 :] if line.strip()]
    return "\n".join(lines[:start]).strip(), examples


def page() -> str:
    """The whole page."""
    sections = ["\n".join(_section(name, command)) for name, command in walk(cli)]
    return "\n".join([INTRODUCTION, *sections, "\n".join(_exit_codes())])


def _section(name: str, command: click.Command) -> Iterator[str]:
    text, examples = text_and_examples(command)
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    options = [param for param in command.params if isinstance(param, click.Option)]
    shown = [param.make_metavar(click.Context(command)) for param in arguments]
    yield f"## {' '.join([name, *shown])}\n"
    yield f"{text}\n"
    yield "```console"
    yield from (f"$ {example}" for example in examples)
    yield "```\n"
    if options:
        yield "| option | meaning |\n| --- | --- |"
        yield from (_row(option, command) for option in options)
        yield ""


def _row(option: click.Option, command: click.Command) -> str:
    value = "" if option.is_flag else f" {option.make_metavar(click.Context(command))}"
    names = ", ".join([*sorted(option.opts, key=len, reverse=True), *option.secondary_opts])
    cell = f"{names}{value}".replace("|", "\\|")
    return f"| `{cell}` | {' '.join((option.help or '').split())} |"


def _exit_codes() -> Iterator[str]:
    meanings = {
        ExitCode.GRADED: "graded; or the command did what it was asked",
        ExitCode.BELOW_THRESHOLD: "graded, and the score is below `--fail-under`",
        ExitCode.USAGE: "usage error, unreadable input, or a submission that intake refuses",
        ExitCode.TASK_BROKEN: "a task of ours is broken",
        ExitCode.SANDBOX_UNAVAILABLE: "no sandbox can be had: nothing was run",
        ExitCode.UNGRADED: "a submission could not be graded for a reason of ours",
        ExitCode.BUG: "a bug in grader",
        ExitCode.INTERRUPTED: "interrupted",
    }
    yield "## Exit codes\n"
    yield "| code | meaning |\n| --- | --- |"
    yield from (f"| {code.value} | {meanings[code]} |" for code in ExitCode)
    yield ""


if __name__ == "__main__":
    click.echo(page(), nl=False)
