"""`grader ci` as it is typed, in a real repository: what is graded, what is published, how it ends."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import junitparser
import pytest

from grader.ci.run import Outcome, exit_code_of
from grader.ci.touched import Touched
from grader.errors import ExitCode
from grader.model import Json
from grader.reports.as_json import to_json
from grader.schemas import violation
from tests.ci.repos import commit, repository
from tests.faulty import GOOD
from tests.reports.shown import missing, rejected, ungraded
from tests.samples import check, report
from tests.typed import Typed

TASKS = Path(__file__).resolve().parent.parent / "data" / "tasks"
RAISES = GOOD.replace("    return a + b", '    raise ValueError("::error::##[group]@octocat")')
BASE = {"submissions/ada/adder.py": "x = 1\n", "submissions/old/adder.py": "x = 1\n", "README.md": "r\n"}


def options(root: Path) -> tuple[object, ...]:
    return ("--base", "main", "--repo", root, "--tasks-dir", TASKS, "--backend", "process", "--seed", "5")


def test_touched_submissions_are_graded_and_published_without_anything_hidden(typed: Typed, tmp_path: Path) -> None:
    change = {
        "submissions/bo/adder.py": RAISES,
        "submissions/old/adder.py": None,
        "submissions/eve.zip": "no archive",
        "submissions/README.md": "not one\n",
    }
    root = repository(tmp_path / "r", BASE, change)
    out, records = tmp_path / "out", tmp_path / "records"
    done = typed("ci", *options(root), "-o", out, "--records", records, "--fail-under", "50")
    assert done.code == ExitCode.USAGE, done  # eve.zip was refused
    assert [line.split(":")[0] for line in done.out.splitlines()] == ["bo", "eve"]
    assert "no more there: submissions/old" in done.err
    result = json.loads((out / "result.json").read_text("utf-8"))
    assert result["exit_code"] == 2
    rows = {row["id"]: (row["status"], row["score"]["percent"]) for row in result["submissions"]}
    assert rows == {"bo": ("graded", 20), "eve": ("rejected", 0)}
    published = "".join(path.read_text("utf-8") for path in sorted(out.rglob("*.*")))
    assert "adds_hidden" not in published
    assert '"seed": 5' not in published
    assert '"seed": 5' in (records / "bo" / "report.json").read_text("utf-8")
    assert violation(json.loads((out / "reports" / "bo.json").read_text("utf-8")), "report") == ""
    assert len(list(junitparser.JUnitXml.fromfile(str(out / "junit.xml")))) == 2
    commands = (out / "annotations.txt").read_text("utf-8").splitlines()
    line = RAISES.splitlines().index('    raise ValueError("::error::##[group]@octocat")') + 1
    assert commands[0].startswith(f"::error file=submissions/bo/adder.py,line={line},title=bo%3A ValueError::")
    assert all(command.startswith("::error file=submissions/") for command in commands)
    assert "##[" not in "".join(commands)
    quality = json.loads((out / "codequality.json").read_text("utf-8"))
    assert quality[0]["location"] == {"path": "submissions/bo/adder.py", "lines": {"begin": line}}


def outcome(record: Json) -> Outcome:
    return Outcome(touched=Touched(id="x", path="submissions/x", is_folder=True), record=record)


def test_what_we_could_not_grade_comes_before_what_the_candidate_did() -> None:
    good, low, refused, ours = map(outcome, (full_marks(), missing(), rejected(), ungraded()))
    assert exit_code_of([], 100) == 0
    assert exit_code_of([good, low], None) == 0
    assert exit_code_of([good, low], 20) == ExitCode.BELOW_THRESHOLD  # each, not on average
    assert exit_code_of([low, refused], 20) == ExitCode.USAGE
    assert exit_code_of([low, refused, ours], 20) == ExitCode.UNGRADED


def full_marks() -> Json:
    return to_json(report(check("a"), check("b", "learning", 60.0)))


def test_the_whole_repository_may_be_one_submission(typed: Typed, tmp_path: Path) -> None:
    root = repository(tmp_path / "bo", {"submission.toml": ""}, {"submission.toml": "not = [toml\n"})
    done = typed("ci", *options(root), "--single", ".", "-o", tmp_path / "out", "--quiet")
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert (tmp_path / "out" / "summary.md").read_text("utf-8").startswith("### `bo`: 0 %")


def test_a_change_that_touches_no_submission_is_fine(typed: Typed, tmp_path: Path) -> None:
    root = repository(tmp_path / "r", BASE, {"README.md": "new\n", "submissions/old/adder.py": None})
    done = typed("ci", *options(root), "-o", tmp_path / "out", "--fail-under", "100")
    assert done.code == 0
    assert done.err.splitlines() == [
        "no more there: submissions/old",
        "the change touches no submission: nothing to grade",
    ]
    assert json.loads((tmp_path / "out" / "result.json").read_text("utf-8")) == {"exit_code": 0, "submissions": []}
    assert (tmp_path / "out" / "annotations.txt").read_text("utf-8") == ""


def test_more_submissions_than_allowed_are_refused_before_any_is_graded(typed: Typed, tmp_path: Path) -> None:
    change = {f"submissions/s{number}/adder.py": GOOD for number in range(3)}
    root = repository(tmp_path / "r", BASE, change)
    typed("ci", *options(root), "--max", "2").refused("touches 3 submissions", "--max is 2")


def test_a_submission_that_became_a_link_is_refused(typed: Typed, tmp_path: Path) -> None:
    root = repository(tmp_path / "r", BASE, {"submissions/ada/adder.py": None})
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "adder.py").write_text(GOOD)
    (root / "submissions" / "ada").symlink_to(tmp_path / "secret")
    commit(root, {})
    done = typed("ci", *options(root), "-o", tmp_path / "out")
    assert done.code == ExitCode.USAGE
    assert "ada: 0 % " in done.out
    assert "rejected" in done.out
    published = "".join(path.read_text("utf-8") for path in sorted((tmp_path / "out").rglob("*.*")))
    assert "is a symbolic link" in published
    assert str(tmp_path) not in published


@pytest.mark.parametrize("base", ["-x", "nowhere"])
def test_an_unknown_base_is_one_line(typed: Typed, tmp_path: Path, base: str) -> None:
    root = repository(tmp_path / "r", BASE, {"x": "x\n"})
    typed("ci", "--base", base, "--repo", root, "--tasks-dir", TASKS).refused("commit")


@pytest.mark.parametrize("broken", ["task.toml", "hidden/bugs.toml"])
def test_a_broken_task_is_not_quoted_where_candidates_read(typed: Typed, tmp_path: Path, broken: str) -> None:
    """Parsers quote what they cannot read, and hidden/bugs.toml says what the tests look for."""
    root = repository(tmp_path / "r", BASE, {"submissions/bo/adder.py": GOOD})
    tasks = tmp_path / "tasks"
    shutil.copytree(TASKS / "adder", tasks / "adder")
    (tasks / "adder" / broken).write_text('[off_by_one]\nbug = "the hidden slip"\n')
    command = ("ci", "--base", "main", "--repo", root, "--tasks-dir", tasks, "--backend", "process")
    done = typed(*command)
    assert done.code == ExitCode.TASK_BROKEN
    assert (done.out, len(done.err.splitlines())) == ("", 1)
    assert "the task adder is broken, so nothing was graded (" in done.err
    assert not {"off_by_one", "slip", "bug", broken} & set(re.split(r"[^\w./]+", done.err))
    ours = typed(*command, "--audience", "interviewer")
    assert (ours.code, broken in ours.err) == (ExitCode.TASK_BROKEN, True)


@pytest.mark.docker
@pytest.mark.slow
def test_in_containers_it_comes_to_its_end_with_the_same_files(
    typed: Typed, tmp_path: Path, sandbox_image: str
) -> None:
    """As the workflows run it: the default backend, a change with a good, a raising and a broken submission."""
    change = {
        "submissions/bo/adder.py": RAISES,
        "submissions/cy/adder.py": GOOD,
        "submissions/di/adder.py": "def add(a, b)\n",
    }
    root = repository(tmp_path / "r", BASE, change)
    command = ("ci", "--base", "main", "--repo", root, "--tasks-dir", TASKS, "--image", sandbox_image)
    done = typed(*command, "-o", tmp_path / "out", "--fail-under", "60")
    assert done.code == ExitCode.BELOW_THRESHOLD, done
    result = json.loads((tmp_path / "out" / "result.json").read_text("utf-8"))
    assert {row["id"]: row["score"]["percent"] for row in result["submissions"]} == {"bo": 20, "cy": 100, "di": 0}
    for name in ("bo", "cy", "di"):
        record = json.loads((tmp_path / "out" / "reports" / f"{name}.json").read_text("utf-8"))
        assert record["run"]["isolated"], name
    commands = (tmp_path / "out" / "annotations.txt").read_text("utf-8").splitlines()
    assert [line.partition(",")[0] for line in commands] == [
        "::error file=submissions/bo/adder.py",
        "::error file=submissions/di",
    ]
    assert "is not valid Python" in commands[1]
