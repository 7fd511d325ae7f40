"""`grader image build`, `grader doctor` and `grader schema`."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import click

from grader.commands.options import quiet_option, setting_options, settings_from
from grader.errors import ExitCode
from grader.text import sanitize_text


@click.group("image")
def image_group() -> None:
    """The sandbox image."""


@image_group.command("build")
@click.option("--gpu", is_flag=True, help="Build the CUDA variant.")
@click.option("--base", metavar="IMAGE", help="Base image; 'bootstrap' never pulls. Default: pull, else bootstrap.")
@click.option("--force", is_flag=True, help="Build although nothing changed.")
@click.option("--wheels", type=click.Path(path_type=Path, file_okay=False), help="Cache folder for packages.")
@setting_options("index_url")
@quiet_option
def image_build(
    gpu: bool,  # noqa: FBT001 - click's way
    base: str | None,
    force: bool,  # noqa: FBT001 - click's way
    wheels: Path | None,
    config: Path | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> None:
    """Build the sandbox image; does nothing where its inputs have not changed.

    \b
    Example:
        grader image build
        grader image build --gpu
    """
    from grader.sandbox.container import connect
    from grader.sandbox.image import build_image

    settings = settings_from(config, flags)
    say = (lambda _line: None) if quiet else (lambda line: click.echo(sanitize_text(line, 400), err=True))
    with contextlib.closing(connect()) as client:
        image = build_image(
            client, gpu=gpu, base=base, progress=say, force=force, wheels=wheels, index_url=settings.index_url
        )
    if not quiet:
        click.echo(f"{image.tag}  {image.id}")


@click.command("doctor")
@setting_options("gpus")
def doctor_command(config: Path | None, **flags: Any) -> int:
    """Say for each need whether it is met, and the command that mends it.

    \b
    Example:
        grader doctor
    """
    from grader.doctor import run_checks

    settings = settings_from(config, flags)
    needs = run_checks(gpu=settings.gpus not in ("none", "auto"))
    for need in needs:
        mark = (
            click.style("ok ", fg="green") if need.ok else click.style("not", fg="red" if need.required else "yellow")
        )
        click.echo(f"{mark} {need.name:18} {need.detail}" + ("" if need.ok or not need.fix else f"\n    -> {need.fix}"))
    return ExitCode.GRADED if all(need.ok or not need.required for need in needs) else ExitCode.SANDBOX_UNAVAILABLE


@click.command("schema")
@click.argument("name")
def schema_command(name: str) -> None:
    """Print a JSON Schema: task, submission, report, review, rubric, expected, mutant ...

    \b
    Example:
        grader schema report > report.schema.json
    """
    from grader.schemas import load_schema

    click.echo(json.dumps(load_schema(name), indent=2, ensure_ascii=False))
