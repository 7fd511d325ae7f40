"""`grader batch`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.commands.options import (
    COMMON,
    fail_under_option,
    jobs_option,
    quiet_option,
    setting_options,
    settings_from,
    sign_key_option,
)
from grader.errors import ExitCode
from grader.runners import RUNNERS

if TYPE_CHECKING:
    from grader.batch.command import Finished


@click.command("batch")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--output", "-o", required=True, metavar="OUT", type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the reports: OUT/<id>/report.json, OUT/summary.csv, OUT/index.html.",
)  # fmt: skip
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@jobs_option
@click.option("--runner", type=click.Choice(list(RUNNERS)), default="pool", help="Where the jobs run.")
@click.option(
    "--address", default="", metavar="HOST:PORT", envvar="RAY_ADDRESS",
    help="Ray cluster of `--runner ray`; by default the one that this machine belongs to.",
)  # fmt: skip
@click.option(
    "--resume/--no-cache", "resume", default=True,
    help="Go on from what OUT holds (the default), or grade everything again and keep that.",
)  # fmt: skip
@setting_options(*COMMON, "llm_base_url", "llm_model")
@sign_key_option
@fail_under_option
@quiet_option
def batch_command(  # noqa: PLR0913, PLR0917 - one parameter for each option, passed by name
    folder: Path,
    output: Path,
    task_ids: tuple[str, ...],
    jobs: int | None,
    runner: str,
    address: str,
    resume: bool,  # noqa: FBT001 - click's way
    sign_key: Path | None,
    config: Path | None,
    fail_under: float | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Grade every submission in DIR with the hidden tests, each task alone in a container.

    DIR holds folders, .zip, .tar.gz, .tgz or .tar archives, .py or .ipynb files; a name is the submission's id. What
    is finished is kept in OUT: after an interruption the same command goes on, and unchanged submissions are not
    graded again. Exit code 5 where something could not be graded for a reason of ours; 1 where a submission is below
    --fail-under.

    \b
    Example:
        grader batch candidates/ -o out/
        grader batch candidates/ -o out/ --task transformer -j 4 --fail-under 60
    """
    from grader.batch.command import Options, run_batch
    from grader.batch.discovery import find_submissions
    from grader.selection import code_tasks
    from grader.task import load_tasks

    signer = _signer(sign_key)  # a key that cannot be read is said before anything runs
    settings = settings_from(config, flags)
    tasks = load_tasks(settings.tasks_dir, task_ids)
    found, others = find_submissions(folder, code_tasks(tasks), output)
    if others and not quiet:
        click.echo(f"no submissions, left out: {', '.join(others[:5])}{' ...' if len(others) > 5 else ''}", err=True)
    options = Options(
        out=output, jobs=jobs, runner=runner, address=address, fresh=not resume, quiet=quiet, sign=signer
    )  # fmt: skip
    finished = run_batch(found, tasks, settings, options)
    if finished.interrupted:
        say_interrupted(finished, len(found))
        return ExitCode.INTERRUPTED
    if not quiet:
        click.echo("\n".join(closing_lines(finished, output)))
    return _exit_code(finished, fail_under)


def _signer(key: Path | None) -> Callable[[Sequence[Path]], int] | None:
    """Signs reports that are not signed yet; None without a key. Raises UsageError for one that cannot be read."""
    if key is None:
        return None
    from grader.reports.signature import load_private, sign_missing

    private = load_private(key)
    return lambda reports: sign_missing(reports, private)


def say_interrupted(finished: Finished, total: int) -> None:
    """How to go on after an interruption."""
    done = len(finished.rows)
    click.echo(f"grader: interrupted; {done} of {total} submissions are finished and kept", err=True)
    click.echo("grader: the same command goes on from here", err=True)


def closing_lines(finished: Finished, out: Path) -> list[str]:
    """The last words of a batch."""
    from grader.batch.show import duration

    tally = finished.tally.tally
    stored = f"; {tally.stored} unchanged" if tally.stored else ""
    lines = [f"{tally.words()}{stored}; {duration(tally.elapsed_s)}"]
    lines += [f"ungraded: {row.id}: {row.reason}" for row in finished.rows if row.state == "ungraded"]
    return [*lines, ", ".join([f"{out}/<id>/report.json", *map(str, finished.pages)])]


def _exit_code(finished: Finished, fail_under: float | None) -> int:
    if any(row.state == "ungraded" for row in finished.rows):
        return ExitCode.UNGRADED
    if fail_under is not None and any(row.percent < fail_under for row in finished.rows):
        return ExitCode.BELOW_THRESHOLD
    return ExitCode.GRADED
