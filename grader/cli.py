"""The command line: puts the commands together, and is the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import sys
import traceback

import click

from grader import __version__
from grader.commands.batch import batch_command
from grader.commands.ci import ci_command
from grader.commands.compare import compare_command, stats_command
from grader.commands.grading import check_command, grade_command
from grader.commands.kit import kit_command
from grader.commands.machine import doctor_command, image_group, schema_command
from grader.commands.options import say
from grader.commands.records import replay_command, verify_report_command
from grader.commands.results import report_command, review_command
from grader.commands.tasks import tasks_group
from grader.commands.written import written_group
from grader.errors import ExitCode, GraderError
from grader.text import sanitize_text


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def cli(context: click.Context, debug: bool) -> None:  # noqa: FBT001 - click's way
    """Grades ML coding interviews: hidden tests stay outside, candidate code runs alone in a sandbox.

    \b
    Interviewers:  grader grade submission/ -o report.json, grader batch, grader report, grader review
    Candidates:    grader check submission/ (grader kit makes what they receive)
    Pull requests: grader ci --base main
    Set up:        grader image build, grader doctor

    Exit codes: 0 graded; 1 below --fail-under; 2 usage or bad input; 3 task broken; 4 sandbox unavailable;
    5 ungraded; 70 bug in grader; 130 interrupted.
    """
    context.obj = {"debug": debug}


for command in (
    grade_command, batch_command, check_command, report_command, review_command, compare_command, stats_command,
    ci_command, kit_command, tasks_group, written_group, image_group, doctor_command, schema_command,
    verify_report_command, replay_command,
):  # fmt: skip
    cli.add_command(command)


def main() -> None:
    """Entry point of the console script."""
    debug = "--debug" in sys.argv
    if debug:
        sys.argv.remove("--debug")  # accepted anywhere on the line
    try:
        code = cli.main(standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("grader: interrupted; what was running has been stopped", err=True)
        code = ExitCode.INTERRUPTED
    except GraderError as error:
        say(error)
        code = error.exit_code
        _trace(debug)
    except BrokenPipeError:
        code = ExitCode.GRADED  # the reader has seen enough
        sys.stdout = None  # nothing left to flush into
    except Exception as error:  # noqa: BLE001 - the border to the user: a bug of ours, said in one line
        click.echo(f"grader: a bug in grader: {type(error).__name__}: {sanitize_text(str(error), 500)}", err=True)
        click.echo("grader: please report it with the output of the same command and --debug", err=True)
        code = ExitCode.BUG
        _trace(debug)
    sys.exit(int(code or 0))


def _trace(debug: bool) -> None:  # noqa: FBT001 - one flag, one meaning
    if debug:
        traceback.print_exc()


if __name__ == "__main__":
    main()
