"""`grader written evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from grader.commands.options import setting_options, settings_from
from grader.errors import UsageError
from grader.model import Json

TASK = "written"


@click.group("written")
def written_group() -> None:
    """Written answers: measure the offline grader."""


@written_group.command("evaluate")
@click.argument(
    "files", metavar="FILE.jsonl...", nargs=-1, required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--split", default="", metavar="NAME", help="Only rows of this split, e.g. test.")
@click.option(
    "--exemplars",
    default=0,
    type=click.IntRange(0, 64),
    metavar="K",
    help="Graded answers of each question to learn from.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Where the figures go as JSON.")
@setting_options("tasks_dir")
def evaluate_command(
    files: tuple[Path, ...], split: str, exemplars: int, output: Path | None, config: Path | None, **flags: Any
) -> None:
    """Compare the offline grader with human scores: agreement, bias, and what is left for a person.

    Each line of a FILE has question_id, question, reference_answer, student_answer, score and max_score, or is an
    exemplar of one of our questions. Intervals are from a bootstrap over questions.

    \b
    Example:
        grader written evaluate tasks/written/exemplars/q01.jsonl --split test
        grader written evaluate answers.jsonl --exemplars 8 -o figures.json
    """
    from grader.atomic import write_text
    from grader.reports.as_json import dumps
    from grader.task import load_tasks
    from grader.written.calibration import shipped
    from grader.written.evaluate import evaluate, read_rows
    from grader.written.task import rubrics_of

    task = load_tasks(settings_from(config, flags).tasks_dir, [TASK])[TASK]
    if task.kind != TASK:
        raise UsageError(f"{TASK} is not a task of written answers")
    rubrics = rubrics_of(task)
    rows = [row for file in files for row in read_rows(file, rubrics)]
    figures = evaluate(rows, rubrics, shipped(), exemplars, split)
    if output:
        write_text(output, dumps(figures))
    click.echo("\n".join(_lines(figures)))


@written_group.command("agreement")
@setting_options("tasks_dir")
def agreement_command(config: Path | None, **flags: Any) -> None:
    """Compare the second marker of the exemplars with their author.

    \b
    Example:
        grader written agreement
    """
    from grader.task import load_tasks
    from grader.written.agreement import agreement
    from grader.written.task import rubrics_of

    task = load_tasks(settings_from(config, flags).tasks_dir, [TASK])[TASK]
    figures = agreement(Path(task.root), {name: row.rubric for name, row in rubrics_of(task).items()})
    click.echo(f"{figures['answers']} answers, {figures['points']} points scored by author and second marker")
    for name, row in figures["answer"].items():
        click.echo(f"{name:10} {_cell(row):>24}")
    click.echo(
        f"points alike {figures['points_equal']:.1%}; half a point apart or more: {figures['points_half_apart']}"
    )


def _lines(figures: Json) -> list[str]:
    """The figures as a table: value and 95 % interval."""
    lines = [f"{figures['answers']} answers to {figures['questions']} questions"]
    lines.append(f"{'':10} {'all':>24}  {'not flagged (' + format(figures['unflagged']['coverage'], '.0%') + ')':>24}")
    for name, row in figures["all"].items():
        lines.append(f"{name:10} {_cell(row):>24}  {_cell(figures['unflagged'][name]):>24}")
    right = figures["right_answers"]
    if right:
        caps = ", ".join(f"{name} {count}" for name, count in right["caps"].items())
        lines.append(
            f"right answers: {right['answers']}, mean {right['mean']:.3f}, {right['passed']:.1%} get 0.6 or more, "
            f"{right['capped']:.1%} are capped{f' ({caps})' if caps else ''}"
        )
    for label in ("language", "kind"):
        for name, row in figures[f"bias_by_{label}"].items():
            lines.append(f"bias, {label} {name}: {row['bias']:+.3f} ({row['answers']})")
    return lines


def _cell(row: list[float] | None) -> str:
    return "-" if row is None else f"{row[0]:.3f} [{row[1]:.3f}, {row[2]:.3f}]"
