"""The command line: each error is one line and its documented exit code, and nothing is lost."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from grader import cli
from grader.errors import ExitCode
from grader.schemas import violation
from tests.faulty import GOOD

TASKS = Path(__file__).parent / "data" / "tasks"


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs a command in this process, as the console script does."""

    def call(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["grader", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call


def assert_one_line(result: Result, code: ExitCode, *words: str) -> None:
    """One line on standard error that has the words, and that exit code."""
    assert result.code == code, result
    lines = [line for line in result.err.splitlines() if line.startswith("grader: ")]
    assert len(lines) == 1, result.err
    assert "Traceback" not in result.err
    for word in words:
        assert word in lines[0]


def test_help_loads_nothing_heavy() -> None:
    program = (
        "import sys; sys.argv = ['grader', '--help']; import grader.cli as c\ntry: c.main()\nexcept SystemExit: pass\n"
    )
    program += "print(sorted({'torch','numpy','docker','pytest','jsonschema','psutil'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "command",
    [
        ["grade"],
        ["check"],
        ["tasks", "list"],
        ["tasks", "show"],
        ["tasks", "validate"],
        ["image", "build"],
        ["doctor"],
        ["schema"],
    ],
)
def test_every_command_has_an_example(command: Sequence[str], run: Callable[..., Result]) -> None:
    result = run(*command, "--help")
    assert result.code == 0
    if command != ["schema"]:
        assert f"grader {' '.join(command)}" in result.out.partition("Example")[2]


def test_missing_path(run: Callable[..., Result], tmp_path: Path) -> None:
    assert_one_line(run("grade", tmp_path / "nobody"), ExitCode.USAGE, "nobody")


def test_unknown_task_names_the_known_ones(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("grade", tmp_path, "--task", "ader", "--tasks-dir", TASKS)
    assert_one_line(result, ExitCode.USAGE, "ader", "adder")


def test_unknown_option_is_a_usage_error(run: Callable[..., Result]) -> None:
    assert run("grade", "--nonsense").code == ExitCode.USAGE


def test_empty_folder_is_rejected_and_the_report_is_kept(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    report = tmp_path / "reports" / "empty.json"
    result = run("grade", tmp_path / "empty", "-o", report, "--tasks-dir", TASKS)
    assert_one_line(result, ExitCode.USAGE, "no files")
    record = json.loads(report.read_text())
    assert violation(record, "report") == ""
    assert (record["status"], record["score"]["earned"]) == ("rejected", 0)


def test_folder_without_an_entry_scores_zero_as_missing(
    run: Callable[..., Result], make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_folder("notes", {"notes.txt": "nothing yet"})
    result = run("grade", folder, "-o", tmp_path / "r.json", "--tasks-dir", TASKS, "--fail-under", "1")
    assert result.code == ExitCode.BELOW_THRESHOLD
    record = json.loads((tmp_path / "r.json").read_text())
    assert [task["status"] for task in record["tasks"]] == ["missing"]


def test_two_entries_are_invalid_and_say_so(run: Callable[..., Result], make_folder: Callable[..., Path]) -> None:
    folder = make_folder("both", {"adder.py": GOOD, "adder.ipynb": "{}"})
    result = run("check", folder, "--tasks-dir", TASKS)
    assert result.code == ExitCode.GRADED
    assert "adder.ipynb" in result.out


def test_broken_task_file(run: Callable[..., Result], make_task: Callable[..., Path], tmp_path: Path) -> None:
    root = make_task("toy", "id = 3")
    result = run("grade", tmp_path, "--tasks-dir", root.parent)
    assert_one_line(result, ExitCode.TASK_BROKEN, "task.toml")


def test_broken_suite_costs_nobody_a_point(
    run: Callable[..., Result], make_task: Callable[..., Path], make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_task("toy")
    (root / "hidden" / "test_toy_hidden.py").write_text("import no_such_module_of_ours\n")
    folder = make_folder("ada", {"toy.py": "x = 1\n"})
    output = tmp_path / "r.json"
    result = run("grade", folder, "--tasks-dir", root.parent, "--backend", "process", "-o", output)
    assert_one_line(result, ExitCode.TASK_BROKEN, "no_such_module_of_ours")
    assert json.loads(output.read_text())["status"] == "ungraded"


# The Docker SDK does not close the socket of a connection that was refused.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_no_engine(
    run: Callable[..., Result], make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    folder = make_folder("ada", {"adder.py": GOOD})
    result = run("grade", folder, "--tasks-dir", TASKS, "-o", tmp_path / "r.json")
    assert_one_line(result, ExitCode.SANDBOX_UNAVAILABLE, "engine", "grader doctor")
    assert not (tmp_path / "r.json").exists()
    assert_one_line(run("image", "build"), ExitCode.SANDBOX_UNAVAILABLE, "engine")
    assert run("doctor").code == ExitCode.SANDBOX_UNAVAILABLE
    gc.collect()  # so that the sockets are met here and not in another test


def test_no_gpu(
    run: Callable[..., Result], make_folder: Callable[..., Path], make_task: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", str(tmp_path))
    root = make_task("toy")  # its task.toml says that a GPU is optional
    folder = make_folder("ada", {"toy.py": "x = 1\n"})
    result = run("grade", folder, "--tasks-dir", root.parent, "--backend", "process", "--gpus", "all")
    assert_one_line(result, ExitCode.SANDBOX_UNAVAILABLE, "no NVIDIA GPU")


@pytest.mark.docker
def test_missing_image(run: Callable[..., Result], make_folder: Callable[..., Path], sandbox_image: str) -> None:
    folder = make_folder("ada", {"adder.py": GOOD})
    result = run("grade", folder, "--tasks-dir", TASKS, "--image", "grader-sandbox:no-such-version")
    assert_one_line(result, ExitCode.SANDBOX_UNAVAILABLE, "no-such-version")


def test_unwritable_report(run: Callable[..., Result], make_folder: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = make_folder("notes", {"notes.txt": ""})
    result = run("grade", folder, "--tasks-dir", TASKS, "-o", tmp_path / "file" / "report.json")
    assert_one_line(result, ExitCode.USAGE, "report.json")


def test_debug_shows_the_traceback(run: Callable[..., Result], tmp_path: Path) -> None:
    assert "Traceback" in run("--debug", "grade", tmp_path / "nobody").err


def test_schemas_are_printed(run: Callable[..., Result]) -> None:
    assert json.loads(run("schema", "report").out)["title"]
    assert_one_line(run("schema", "reprot"), ExitCode.USAGE, "report")


def test_tasks_are_listed_and_shown(run: Callable[..., Result]) -> None:
    assert "adder" in run("tasks", "list", "--tasks-dir", TASKS).out
    assert "add(a, b)" in run("tasks", "show", "adder", "--tasks-dir", TASKS).out


@pytest.mark.slow
def test_check_tells_a_candidate_what_was_expected(
    run: Callable[..., Result], make_folder: Callable[..., Path]
) -> None:
    folder = make_folder("ada", {"adder.py": GOOD.replace("a + b", "a - b")})
    result = run("check", folder, "--tasks-dir", TASKS)
    assert result.code == ExitCode.GRADED
    assert "adds_public" in result.out
    assert "differs by up to" in result.out
    assert "Return a + b." in result.out
    assert "CANARY" not in result.out + result.err
    assert "adds_again" not in result.out
    assert "\x1b" not in result.out + result.err


def test_check_without_code_lists_the_written_answers_that_it_found(
    run: Callable[..., Result], make_folder: Callable[..., Path]
) -> None:
    folder = make_folder("yuki", {"answers.md": "## Q1\n\nClip.\n\n## 问题12\n\n裁剪。\n"})
    result = run("check", folder)
    assert result.code == ExitCode.USAGE
    assert "no code to check; found answers to q01, q12" in result.err
    assert "written.py" not in result.err
    empty = run("check", make_folder("zoe", {"notes.md": "hello"}), "--task", "written")
    assert "answers none of the tasks (a self-check grades code" in empty.err


@pytest.mark.docker
def test_an_interrupt_stops_everything(make_folder: Callable[..., Path], sandbox_image: str) -> None:
    folder = make_folder("ada", {"adder.py": "import time\n" + GOOD.replace("return a + b", "time.sleep(100)")})
    command = [sys.executable, "-m", "grader.cli", "grade", str(folder), "--tasks-dir", str(TASKS)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    judges = wait_for_container(process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "interrupted" in errors
    wait_for(lambda: not containers(judges))


@pytest.mark.docker
@pytest.mark.parametrize("moment", [0.0, 0.2, 0.5, 1.0, 3.0])
def test_a_killed_grader_leaves_nothing(
    make_folder: Callable[..., Path], tmp_path: Path, sandbox_image: str, moment: float
) -> None:
    folder = make_folder("ada", {"adder.py": "import time\n" + GOOD.replace("return a + b", "time.sleep(100)")})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "grader.cli", "grade", str(folder), "--tasks-dir", str(TASKS)]
    environment = os.environ | {"TMPDIR": str(scratch)}
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment)
    judges = wait_for_container(process)
    time.sleep(moment)  # while the container is made, while it warms up, while candidate code hangs
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    wait_for(lambda: not containers(judges) and not any(scratch.iterdir()))


def containers(judges: set[int]) -> list[object]:
    """The sandboxes of those judges that exist now; other runs may share the engine."""
    from grader.sandbox.container import connect
    from grader.sandbox.profile import LABEL, OWNER

    client = connect()
    try:
        rows = client.api.containers(all=True, filters={"label": LABEL})
    finally:
        client.close()
    return [row for row in rows if int(row["Labels"][OWNER].split(":")[-2]) in judges]


def wait_for_container(process: subprocess.Popen[Any]) -> set[int]:
    """Waits until a command has its sandbox; gives the processes that it may belong to."""
    judges: set[int] = set()

    def started() -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            judges.update(child.pid for child in psutil.Process(process.pid).children(recursive=True))
        return bool(containers(judges))

    wait_for(started)
    return judges


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits, at most a minute; what is waited for is a fact, not a speed."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
