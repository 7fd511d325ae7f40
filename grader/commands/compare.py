"""`grader compare` and `grader stats`: what submissions have in common, and what a batch says about its questions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from grader.commands.options import setting_options, settings_from

_REPOSITORY = Path(__file__).resolve().parents[2]


@click.command("compare")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--task", "-t", "task_ids", multiple=True, metavar="T", help="Only this task (repeatable).")
@click.option("--references", type=click.Path(path_type=Path), help="Folder with reference solutions.")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="The findings as JSON.")
@setting_options("tasks_dir")
def compare_command(
    folder: Path,
    task_ids: tuple[str, ...],
    references: Path | None,
    output: Path | None,
    config: Path | None,
    **flags: Any,
) -> None:
    """Show pairs of submissions that have more in common than two people's own work.

    DIR is a folder of submissions. Code is compared whatever its names, layout and constants; written answers word by
    word. Starters, public tests and questions do not count; references do. A finding is a flag with the passages side
    by side, never points.

    \b
    Example:
        grader compare candidates/
        grader compare candidates/ --task transformer -o similar.json
    """
    from grader.atomic import write_text
    from grader.similarity.collect import collect
    from grader.similarity.compare import find_similar
    from grader.similarity.show import as_json, as_text
    from grader.task import load_tasks

    tasks = load_tasks(settings_from(config, flags).tasks_dir, task_ids)
    found = collect(folder, tasks, references or _REPOSITORY / "reference")
    findings = find_similar(found)
    if output is not None:
        write_text(output, as_json(findings, found))
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 120
    click.echo(as_text(findings, found, min(width, 200)), nl=False)


@click.command("stats")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--level", type=click.Choice(("task", "criterion", "check")), default="criterion", show_default=True,
    help="Which items are printed; files have all.",
)  # fmt: skip
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="FILE.csv or FILE.json.")
def stats_command(out: Path, level: str, output: Path | None) -> None:
    """Say which items of a batch are hard, which tell people apart, and how many reached each.

    OUT is a folder of many <id>/report.json. Nothing is graded again; points that people gave count.

    \b
    Example:
        grader stats out/
        grader stats out/ --level check -o items.csv
    """
    from grader.atomic import write_text
    from grader.errors import UsageError
    from grader.reports.cells import MARK
    from grader.reports.item_stats import as_csv, as_json, as_text, items_of
    from grader.review.results import find_results

    records = [result.view for result in find_results(out)]
    graded = [record for record in records if record["status"] != "rejected"]
    items = items_of(graded)
    if output is not None:
        if output.suffix not in (".csv", ".json"):
            raise UsageError(f"{output} is neither .csv nor .json", hint="give -o FILE.csv or -o FILE.json")
        if output.name in ("report.json", "review.json"):
            raise UsageError(f"{output} may be a record of ours", hint="give another name")
        write_text(output, MARK + as_csv(items) if output.suffix == ".csv" else as_json(items, len(graded)))
    click.echo(as_text(items, len(graded), level), nl=False)
