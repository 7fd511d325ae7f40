"""`grader verify-report` and `grader replay`: is a stored report what was graded, does it come out again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from grader.commands.options import quiet_option, say, setting_options, settings_from
from grader.errors import ExitCode
from grader.text import sanitize_line

_SHOWN = 50


@click.command("verify-report")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--key",
    metavar="PUB.pem",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Require a signature that this Ed25519 key's owner made.",
)
@quiet_option
def verify_report_command(file: Path, key: Path | None, quiet: bool) -> int:  # noqa: FBT001 - click's way
    """Check a report.json: its digest, its sums, the files beside it, and with --key its signature.

    FILE is the report, or the folder that it lies in. The digest and the sums show a change by accident or by a
    careless hand. Only a signature shows that nobody changed anything. Exit code 1 where something is not as it was
    graded.

    \b
    Example:
        grader verify-report out/ada/report.json
        grader verify-report out/ada/report.json --key pub.pem
    """
    from grader.reports.as_json import read_stored
    from grader.reports.signature import load_public, problem_of, signature_path
    from grader.reports.verified import notes_of, problems_of

    file = _record_in(file)
    public = load_public(key) if key else None
    record = read_stored(file)
    problems = problems_of(record, file)
    notes = notes_of(record)
    if public is not None:
        problem = problem_of(file, record, public)
        problems += [f"signature: {problem}"] if problem else []
    elif signature_path(file).is_file():
        notes.append("it is signed; --key PUB.pem checks by whom")
    _told(problems, [*notes, *([] if problems else [_verified(file, signed=key is not None)])], quiet=quiet)
    return ExitCode.BELOW_THRESHOLD if problems else ExitCode.GRADED


@click.command("replay")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("submission", metavar="SUBMISSION", type=click.Path(path_type=Path))
@setting_options("backend", "tasks_dir", "gpus", "image", "runtime")
@quiet_option
def replay_command(
    file: Path,
    submission: Path,
    config: Path | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Grade a submission again with the seed, limits and image of a stored report, and compare.

    FILE is the report, or the folder that it lies in. Compared are the status, each check's outcome and points, each
    written point's verdict and points. Exit code 1 where something differs; what was changed since (the submission, a
    task, a version) is said as a possible reason.

    \b
    Example:
        grader replay out/ada/report.json candidates/ada
    """
    from grader.progress import Progress
    from grader.replay import replay

    settings = settings_from(config, flags)
    with Progress(enabled=not quiet) as progress:
        done = replay(_record_in(file), submission, settings, progress.check)
    same = [] if done.differences else [f"the same: {done.report.score.earned:g} points, every outcome"]
    _told(done.differences, [*done.changes, *same], quiet=quiet)
    if done.error is not None:
        say(done.error)
        return done.error.exit_code
    return ExitCode.BELOW_THRESHOLD if done.differences else ExitCode.GRADED


def _record_in(path: Path) -> Path:
    """The report's file where its folder is named, as `grader report` takes it."""
    return path / "report.json" if path.is_dir() else path


def _verified(file: Path, *, signed: bool) -> str:
    return f"{file}: digest, sums and files are right" + (", and so is the signature" if signed else "")


def _told(problems: Iterable[str], notes: Iterable[str], *, quiet: bool) -> None:
    """Problems on standard output, also with --quiet; the rest on standard error."""
    lines = list(problems)
    for line in lines[:_SHOWN]:
        click.echo(sanitize_line(line, 500))
    if len(lines) > _SHOWN:
        click.echo(f"and {len(lines) - _SHOWN} more")
    for line in () if quiet else notes:
        click.echo(sanitize_line(line, 500), err=True)
