"""`grader report` and `grader review`: what was graded is shown and judged by people, without grading again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.commands.options import quiet_option, setting_options, settings_from
from grader.errors import UsageError
from grader.reports import WRITERS
from grader.text import sanitize_line

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.model import Json
    from grader.reports.look import Look, Stored
    from grader.review.results import Result

REPORT, REVIEW = "report.json", "review.json"
AUDIENCES = ("interviewer", "candidate")
_MARK = "\ufeff"
"""Without a byte order mark a spreadsheet takes Chinese for something else."""


@click.command("report")
@click.argument("result", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--format", "-f", "form", type=click.Choice([*WRITERS, "html"]), default="text", help="What is written.")
@click.option(
    "--audience", type=click.Choice(AUDIENCES), default=AUDIENCES[0], help="A candidate's copy shows nothing hidden."
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Where it goes, a folder for html; else printed.")
@click.option("--leaderboard", is_flag=True, help="Gradescope: also enter the score in the assignment's leaderboard.")
@setting_options("lang")
def report_command(
    result: Path,
    form: str,
    audience: str,
    output: Path | None,
    leaderboard: bool,  # noqa: FBT001 - click's way
    config: Path | None,
    **flags: Any,
) -> None:
    """Show a stored report, with what people decided beside the machine's scores.

    OUT is the folder with a submission's report.json, a report's file, or a folder of many <id>/report.json. Of many,
    html makes an index and a page for each; csv, junit and markdown make one text; gradescope makes
    FOLDER/<id>/results.json with -o FOLDER; the other formats show one submission. Nothing is graded again.

    \b
    Example:
        grader report out/ada
        grader report out/ --format html
        grader report out/ada --audience candidate --format json -o ada.json
        grader report out/ --format csv -o gradebook.csv
        grader report out/ --format gradescope --audience candidate -o gradescope/
    """
    from grader.reports import many_writer
    from grader.reports.audience import for_candidate
    from grader.reports.look import Look, Stored
    from grader.review.results import find_results

    settings = settings_from(config, flags)
    if form == "html":
        from grader.commands.pages import write_pages

        click.echo(sanitize_line(write_pages(result, output, lang=settings.lang, audience=audience), 500))
        return
    terminal = output is None and sys.stdout.isatty()
    width = min(os.get_terminal_size().columns, 120) if terminal else 100
    color = terminal and "NO_COLOR" not in os.environ
    look = Look(lang=settings.lang, color=color, width=width, leaderboard=leaderboard)
    results = find_results(result)
    views = [for_candidate(row.view) if audience == "candidate" else row.view for row in results]
    stored = [Stored(record=view, folder=row.path.parent) for view, row in zip(views, results, strict=True)]
    if output is not None and (output.is_dir() or (len(results) > 1 and many_writer(form) is None)):
        _write_folder(form, stored, results, look, output)
        return
    text = _text(form, views, result, look)
    if output is None:
        click.echo(text, nl=False)
        return
    from grader.atomic import write_text
    from grader.reports.cells import MARK

    _refuse_record(output, results)
    write_text(output, (MARK if form == "csv" else "") + text)


def _text(form: str, views: Sequence[Json], out: Path, look: Look) -> str:
    """The one text of all results. Raises UsageError where the format has none for many."""
    from grader.reports import folder_writer, many_writer, writer

    many = many_writer(form)
    if len(views) == 1:
        return writer(form)(views[0], look)
    if many is not None:
        return many(views, look)
    hint = "give -o FOLDER" if folder_writer(form) else f"name one of them, e.g. {out / views[0]['submission']['id']}"
    raise UsageError(f"{out} holds {len(views)} reports, and {form} shows one of them", hint=hint)


def _write_folder(form: str, stored: Sequence[Stored], results: Sequence[Result], look: Look, folder: Path) -> None:
    """All results as files below `folder`; no record is ever replaced. Raises UsageError."""
    from grader.atomic import write_bytes
    from grader.reports import folder_writer

    write = folder_writer(form)
    if write is None:
        raise UsageError(f"{folder} is a folder, and {form} is one text", hint="give -o FILE")
    files = {folder / name: data for name, data in write(stored, look).items()}
    for path in files:
        _refuse_record(path, results)
    for path, data in files.items():
        write_bytes(path, data.encode() if isinstance(data, str) else data)
    click.echo(f"{folder}: {_count(len(files), 'file')} of {_count(len(results), 'submission')}", err=True)


@click.command("review")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--export",
    "target",
    metavar="FILE.csv",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a table: a row for each point, those that need a review first.",
)
@click.option(
    "--import",
    "source",
    metavar="FILE.csv",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read a table back: rows with human_points and a reason go to review.json.",
)
@click.option("--reviewer", metavar="NAME", help="Who decides; needed for --import, else the page asks.")
@click.option("--port", type=click.IntRange(1, 65535), metavar="N", help="Of the page; by default one that is free.")
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@setting_options("tasks_dir", "lang")
@quiet_option
def review_command(  # noqa: PLR0913, PLR0917 - one parameter for each option, passed by name
    out: Path,
    target: Path | None,
    source: Path | None,
    reviewer: str | None,
    port: int | None,
    show: bool,  # noqa: FBT001 - click's way
    config: Path | None,
    quiet: bool,  # noqa: FBT001 - click's way
    **flags: Any,
) -> None:
    """Give points by hand, in a browser or a spreadsheet; the machine's scores stay beside them.

    OUT is a folder with one folder for each submission's report.json, or one of these folders. Without --export and
    --import a page is served on this machine alone, at the address that is printed, until Ctrl-C. What people decide is
    kept in review.json beside the report; of a table all rows go there, or none.

    \b
    Example:
        grader review out/ --reviewer "Bo Li" --open
        grader review out/ --export review.csv
        grader review out/ --import review.csv --reviewer "Bo Li"
    """
    settings = settings_from(config, flags)
    if target is None and source is None:
        _serve(out, reviewer, settings, port or 0, show=show)
        return
    if port is not None or show:
        raise UsageError("--port and --open are for the page", hint="leave out --export and --import, or these")
    if target is not None and source is None and reviewer is None:
        said = _export(out, target, settings.lang)
    elif source is not None and target is None and reviewer is not None:
        said = _import(out, source, reviewer)
    else:
        hint = "--export FILE.csv, or --import FILE.csv --reviewer NAME, or neither for the page"
        raise UsageError("review either exports or imports a table", hint=hint)
    if not quiet:
        click.echo(sanitize_line(said, 500), err=True)


def _serve(out: Path, reviewer: str | None, settings: Settings, port: int, *, show: bool) -> None:
    from grader.review.decisions import checked_reviewer

    try:
        from grader.review.web.app import Sources
        from grader.review.web.serve import Place, serve
    except ModuleNotFoundError as error:
        message = f"the page needs the extra `review`: {error.name} is not installed"
        raise UsageError(message, hint="pip install 'ml-interview-grader[review]', or --export FILE.csv") from error
    name = checked_reviewer(reviewer) if reviewer is not None else ""
    sources = Sources(out=out, tasks_dir=settings.tasks_dir, lang=settings.lang, reviewer=name)
    serve(sources, Place(port=port, show=show), _announce)
    click.echo("grader: the page is closed; decisions are in review.json", err=True)


def _announce(address: str) -> None:
    """The address goes to standard output, for scripts; what to do with it to the terminal."""
    click.echo("Review page, for you alone; Ctrl-C ends it:", err=True)
    click.echo(address)
    sys.stdout.flush()


def _export(out: Path, target: Path, lang: str) -> str:
    from grader.atomic import write_text
    from grader.review.results import find_results
    from grader.review.table import in_csv, to_rows

    results = find_results(out)
    _refuse_record(target, results)
    _refuse_lost_work(target, results)
    rows = to_rows(results, lang)
    write_text(target, _MARK + in_csv(rows))
    needed = sum(row["review"] == "needed" for row in rows)
    return f"{target}: {_count(len(results), 'submission')}, {_count(len(rows), 'row')}, {needed} of them need a review"


def _import(out: Path, source: Path, reviewer: str) -> str:
    from grader.review.decisions import checked_reviewer, decide
    from grader.review.record import add_overrides
    from grader.review.results import find_results
    from grader.review.table import read_table

    name = checked_reviewer(reviewer)
    decisions = decide(read_table(source), find_results(out), name, _now())
    add_overrides(decisions.additions)
    said = f"{_count(decisions.added, 'override')} added to {_count(len(decisions.additions), 'review')}"
    if decisions.unchanged:
        said += f", {_count(decisions.unchanged, 'row')} unchanged"
    if decisions.overtaken:
        said += f", {_count(decisions.overtaken, 'row')} left out: replaced since (another reason makes it new)"
    return said


def _refuse_record(target: Path, results: Sequence[Result]) -> None:
    """Raises UsageError where `target` is a record: what is made from records must not replace one."""
    real = target.resolve()
    records = {path.resolve() for result in results for path in (result.path, result.review_path)}
    if real in records or real.name == REVIEW or _is_report(real):
        raise UsageError(f"{target} is a record of ours", hint="give another name")


def _is_report(path: Path) -> bool:
    """True for a report.json as grading wrote it; a candidate's copy of that name may be written again."""
    from grader.reports.as_json import read_report

    if path.name != REPORT or not path.is_file():
        return False
    try:
        read_report(path)
    except UsageError:
        return False
    return True


def _refuse_lost_work(target: Path, results: Sequence[Result]) -> None:
    """Raises UsageError where a table of that name holds points that no review has, or is no table at all."""
    from grader.review.decisions import decide
    from grader.review.table import read_table

    if not target.is_file() or not target.stat().st_size:
        return
    try:
        pending = decide(read_table(target), results, "", _now()).added
    except UsageError:
        pending = 1
    if pending:
        message = f"{target} exists, and may hold points that were never imported"
        raise UsageError(message, hint="import it, remove it, or give another name")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
