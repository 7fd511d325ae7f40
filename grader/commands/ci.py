"""`grader ci`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.commands.options import COMMON, fail_under_option, quiet_option, setting_options, settings_from
from grader.errors import UsageError
from grader.text import sanitize_line

if TYPE_CHECKING:
    from grader.ci.run import Outcome


@click.command("ci")
@click.option("--base", required=True, metavar="REF", help="What the change is to be merged into, e.g. origin/main.")
@click.option("--repo", type=click.Path(path_type=Path), default=".", help="Folder in the checkout.")
@click.option(
    "--submissions", metavar="DIR", default="submissions", show_default=True,
    help="Folder of the repository whose entries are submissions.",
)  # fmt: skip
@click.option("--single", metavar="PATH", help="This path alone is the submission; . for the whole repository.")
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@click.option("--output", "-o", "out", type=click.Path(path_type=Path, file_okay=False), help="What may be published.")
@click.option(
    "--records", type=click.Path(path_type=Path, file_okay=False), help="Whole reports, for interviewers alone."
)
@click.option(
    "--audience", type=click.Choice(("candidate", "interviewer")), default="candidate", show_default=True,
    help="Whom the published files are for.",
)  # fmt: skip
@click.option("--jobs", "-j", type=click.IntRange(1), help="Jobs at a time; by default what the machine carries.")
@click.option(
    "--max", "limit", type=click.IntRange(1), default=20, show_default=True, help="Most submissions to grade."
)
@setting_options(*COMMON)
@fail_under_option
@quiet_option
def ci_command(  # noqa: PLR0913, PLR0917 - one parameter for each option, passed by name
    base: str,
    repo: Path,
    submissions: str,
    single: str | None,
    task_ids: tuple[str, ...],
    out: Path | None,
    records: Path | None,
    audience: str,
    jobs: int | None,
    limit: int,
    config: Path | None,
    fail_under: float | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> int:
    """Grade the submissions that a change to a git repository touches, for pull requests.

    Compared are the commits from where HEAD left REF. OUT gets junit.xml, summary.md, annotations.txt (GitHub),
    codequality.json (GitLab), result.json and reports/<id>.json; nothing hidden unless --audience interviewer. A
    change that touches no submission is fine.

    \b
    Example:
        grader ci --base origin/main -o out/ --fail-under 60
        grader ci --base origin/main --single . --tasks-dir ~/hidden-tasks -o out/ --records private/
    """
    from grader.atomic import check_writable
    from grader.ci.git import read_change
    from grader.ci.run import Job, exit_code_of, grade_touched, nothing_quoted, publish
    from grader.ci.touched import find_single, find_touched, refuse_own_tests
    from grader.selection import code_tasks
    from grader.task import load_tasks

    settings = settings_from(config, flags)
    with nothing_quoted(audience):
        tasks = load_tasks(settings.tasks_dir, task_ids)
    change = read_change(repo, base)
    refuse_own_tests(change, settings.tasks_dir)
    code = code_tasks(tasks)
    found = find_touched(change, submissions, code) if single is None else find_single(change, single, code)
    if len(found.touched) > limit:
        raise UsageError(f"the change touches {len(found.touched)} submissions", hint=f"--max is {limit}")
    if not quiet:
        for path in found.removed:
            click.echo(f"no more there: {_shown(path)}", err=True)
        if not found.touched:
            click.echo("the change touches no submission: nothing to grade", err=True)
    for folder in (out, records):
        if folder is not None:
            check_writable(folder / "result.json")
    job = Job(tasks=tasks, settings=settings, audience=audience, keep=records, jobs=jobs, quiet=quiet)
    with nothing_quoted(audience):
        outcomes = grade_touched(change.root, found.touched, job)
    ended = exit_code_of(outcomes, fail_under)
    if out is not None:
        publish(outcomes, change.root, out, settings.lang, ended)
    if not quiet:
        for one in outcomes:
            click.echo(_line(one))
    return ended


def _line(one: Outcome) -> str:
    record = one.record
    score = record["score"]
    points = f"{score['percent']:g} % ({score['earned']:g} / {score['possible']:g})"
    reason = f": {record['reason']}" if record["reason"] else ""
    return _shown(f"{one.touched.id}: {points}  {record['status']}  {one.touched.path}{reason}")


def _shown(path: str) -> str:
    return sanitize_line(path, 500)
