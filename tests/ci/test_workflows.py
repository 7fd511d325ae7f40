"""Workflow files: linted by zizmor and by rules of ours, and their scripts run for real with hostile data."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import playwright
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = sorted((ROOT / "examples" / "github").glob("*.yml"))
ACTION = ROOT / "action.yml"
FILES = [ACTION, *WORKFLOWS]
NODE = Path(playwright.__file__).parent / "driver" / "node"
ZERO = {"earned": 0, "possible": 10, "percent": 0}
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def names(path: Path) -> str:
    return path.name


def load(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return document


def triggers(workflow: dict[Any, Any]) -> set[str]:
    on = workflow.get(True, {})  # YAML 1.1 takes the key `on` for true
    return {on} if isinstance(on, str) else set(on)


def steps(document: dict[Any, Any]) -> Iterator[dict[str, Any]]:
    if "runs" in document:
        yield from document["runs"]["steps"]
    for job in document.get("jobs", {}).values():
        yield from job["steps"]


def problems(document: dict[Any, Any]) -> list[str]:
    """What is wrong with a workflow or action by our own rules."""
    found = []
    on = triggers(document) if "jobs" in document else set()
    if "pull_request_target" in on:
        found.append("pull_request_target: a stranger's change with a token and secrets")
    if "jobs" in document and document.get("permissions") != {}:
        found.append("permissions are not empty at the top")
    text = json.dumps({key: value for key, value in document.items() if key is not True})
    if "pull_request" in on and ("secrets." in text or ': "write"' in text):
        found.append("a secret or a write token in a workflow that the change's author controls")
    for step in steps(document):
        found += _in_step(step, on)
    return found


def _in_step(step: dict[str, Any], on: set[str]) -> Iterator[str]:
    uses, options = step.get("uses", ""), step.get("with", {})
    if uses and not _PINNED.fullmatch(uses):
        yield f"{uses} is not pinned to a commit"
    for script in (step.get("run", ""), options.get("script", "")):
        if "${{" in script:
            yield f"a script with text of others in it: {script[:40]!r}"
    if uses.startswith("actions/checkout@"):
        if options.get("persist-credentials") is not False:
            yield "a checkout that leaves its token behind"
        if "workflow_run" in on and not options.get("path"):
            yield "a checkout where a trusted workflow runs"


@pytest.mark.parametrize("path", FILES, ids=names)
def test_workflows_keep_our_rules(path: Path) -> None:
    assert problems(load(path)) == []


def job(**step: Any) -> dict[str, Any]:
    return {"jobs": {"a": {"steps": [step]}}}


PIN = "0" * 40


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({True: {"pull_request_target": None}}, "pull_request_target"),
        ({"permissions": {"contents": "write"}}, "permissions"),
        (job(uses="actions/checkout@v4", **{"with": {"persist-credentials": False}}), "not pinned"),
        (job(uses=f"actions/checkout@{PIN}"), "leaves its token"),
        (job(run="echo ${{ github.event.pull_request.title }}"), "text of others"),
        (job(uses=f"a/b@{PIN}", **{"with": {"script": "f('${{ github.head_ref }}')"}}), "text of others"),
        (job(run="x", env={"K": "${{ secrets.K }}"}), "secret"),
        ({True: {"workflow_run": None}} | job(uses=f"actions/checkout@{PIN}"), "where a trusted workflow runs"),
    ],
)
def test_our_rules_see_what_they_are_for(change: dict[Any, Any], problem: str) -> None:
    sound: dict[Any, Any] = {
        True: {"pull_request": None},
        "permissions": {},
        "jobs": {"a": {"steps": [{"run": "true"}]}},
    }
    assert problems(sound) == []
    assert any(problem in line for line in problems(sound | change))


def test_zizmor_finds_nothing() -> None:
    (zizmor,) = (file for file in distribution("zizmor").files or () if file.name == "zizmor")
    command = [str(zizmor.locate()), "--offline", "--no-progress", "--persona", "pedantic", *map(str, FILES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for path in FILES:
        assert f"completed {path}" in done.stderr


def test_every_input_of_the_action_reaches_the_command() -> None:
    action = load(ACTION)
    used = set(re.findall(r"inputs\.([\w-]+)", ACTION.read_text("utf-8")))
    assert used == set(action["inputs"])
    grade = next(step for step in action["runs"]["steps"] if step.get("id") == "grade")
    script = (ROOT / "docker" / "action.sh").read_text("utf-8")
    assert {name for name in grade["env"] if f'"${name}"' not in script and f'<<<"${name}"' not in script} == set()


@pytest.mark.parametrize("path", WORKFLOWS, ids=names)
def test_examples_give_inputs_that_the_action_has(path: Path) -> None:
    for step in steps(load(path)):
        if step.get("uses", "").startswith("YOUR-ORG/grader@"):
            assert set(step["with"]) <= set(load(ACTION)["inputs"])


def run_action(folder: Path, grader: str, **inputs: str) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The action's grading step with a stand-in for grader that shows how it was called."""
    program = folder / "grader"
    program.write_text(grader)
    program.chmod(0o755)
    given = {
        "BASE": "main", "REPO": ".", "SUBMISSIONS": "submissions", "SINGLE": "", "TASKS_DIR": "", "TASKS": "",
        "FAIL_UNDER": "", "AUDIENCE": "candidate", "REPORT_LANG": "en", "SEED": "",
    }  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder), "GRADER": str(program), **given, **inputs,
        "GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary"),
    }  # fmt: skip
    command = ["bash", str(ROOT / "docker" / "action.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True), folder


def test_the_action_takes_no_commands_while_grader_prints(tmp_path: Path) -> None:
    grader = """#!/bin/bash
out=$(while [ $# -gt 0 ]; do if [ "$1" = --output ]; then echo "$2"; fi; shift; done)
mkdir -p "$out"
echo "::error::forged"
echo '::error file=a.py,line=3::real' > "$out/annotations.txt"
echo "# summary" > "$out/summary.md"
exit 1
"""
    done, folder = run_action(tmp_path, grader)
    lines = [line for line in done.stdout.splitlines() if line]
    word = lines[0].removeprefix("::stop-commands::")
    assert re.fullmatch(r"[0-9a-f]{32}", word)
    assert lines[1:] == ["::error::forged", f"::{word}::", "::error file=a.py,line=3::real"]
    assert (folder / "summary").read_text() == "# summary\n"
    assert (folder / "output").read_text().splitlines() == ["exit-code=1", f"results={folder / 'grader-results'}"]


@pytest.mark.parametrize(("code", "why"), [(2, "an option is wrong"), (3, "a task is broken"), (4, "no sandbox")])
def test_the_action_says_where_people_look_that_nothing_was_graded(tmp_path: Path, code: int, why: str) -> None:
    done, folder = run_action(tmp_path, f'#!/bin/bash\necho "grader: ::error::forged" >&2\nexit {code}\n')
    assert done.stdout.splitlines()[-1].startswith("::error title=Nothing was graded::")
    summary = (folder / "summary").read_text()
    assert summary.startswith("**Nothing was graded**: ")
    assert why in summary
    assert "forged" not in summary
    assert (folder / "output").read_text() == f"exit-code={code}\n"


def test_the_action_gives_inputs_as_they_are(tmp_path: Path) -> None:
    hostile = "$(touch x); `id` '\" *"
    done, _ = run_action(tmp_path, '#!/bin/bash\nprintf "%s\\n" "$@"\n', SINGLE=hostile, TASKS="a b", FAIL_UNDER="60")
    given = done.stdout.splitlines()[1:-2]
    assert given[given.index("--single") + 1] == hostile
    assert "--submissions" not in given
    assert given[-6:] == ["--fail-under", "60", "--task", "a", "--task", "b"]


DRIVER = """
const fs = require('fs');
const [script, given] = process.argv.slice(2).map((name) => fs.readFileSync(name, 'utf8'));
const { pulls, comments, payload } = JSON.parse(given);
const calls = [];
const github = {
  paginate: async (method) => (method === 'pulls' ? pulls : comments),
  rest: {
    pulls: { list: 'pulls' },
    issues: {
      listComments: 'comments',
      createComment: async (call) => calls.push(['create', call]),
      updateComment: async (call) => calls.push(['update', call]),
    },
  },
};
const context = { repo: { owner: 'o', repo: 'r' }, serverUrl: 'https://host', payload: { workflow_run: payload } };
const core = { notice: (text) => calls.push(['notice', text]) };
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
new AsyncFunction('github', 'context', 'core', 'require', script)(github, context, core, require)
  .then(() => console.log(JSON.stringify(calls)))
  .catch((error) => { console.error(error.message); process.exit(1); });
"""
RUN = {"id": 7, "head_sha": "s1", "head_branch": "b", "head_repository": {"owner": {"login": "eve"}}}


def comment(
    folder: Path, result: Any, *, pulls: list[Any] | None = None, comments: list[Any] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs the script of stage 2 with the artifact's result.json, against a code host that remembers calls."""
    (script,) = [
        step["with"]["script"] for step in steps(load(ROOT / "examples/github/comment.yml")) if "script" in step["with"]
    ]
    (folder / "grader-results").mkdir(exist_ok=True)
    if result is not None:
        text = result if isinstance(result, str) else json.dumps(result)
        (folder / "grader-results" / "result.json").write_text(text)
    for name, text in (("driver.js", DRIVER), ("script.js", script)):
        (folder / name).write_text(text)
    known = [{"number": 3, "head": {"sha": "s1"}}, {"number": 4, "head": {"sha": "s0"}}] if pulls is None else pulls
    (folder / "given.json").write_text(json.dumps({"pulls": known, "comments": comments or [], "payload": RUN}))
    command = [str(NODE), "driver.js", "script.js", "given.json"]
    environment = {"RUNNER_TEMP": str(folder), "PATH": os.environ["PATH"]}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def one(**changed: Any) -> dict[str, Any]:
    row = {"id": "ada", "status": "graded", "score": {"earned": 87.456, "possible": 100, "percent": 87.5}}
    return {"exit_code": 0, "submissions": [row | changed]}


def test_stage_two_comments_with_names_and_numbers(tmp_path: Path) -> None:
    done = comment(tmp_path, one())
    ((kind, call),) = json.loads(done.stdout)
    assert (kind, call["issue_number"]) == ("create", 3)
    assert "| `ada` | 87.5 % | 87.46 / 100 | graded |" in call["body"]
    assert "(https://host/o/r/actions/runs/7)" in call["body"]


def test_stage_two_replaces_its_own_comment_only(tmp_path: Path) -> None:
    bot = {"type": "Bot", "login": "github-actions[bot]"}
    others = [
        {"id": 1, "user": {"type": "User", "login": "eve"}, "body": "<!-- grader --> mine"},
        {"id": 2, "user": bot, "body": "something else"},
        {"id": 3, "user": bot, "body": "<!-- grader -->\nold"},
    ]
    ((kind, call),) = json.loads(comment(tmp_path, one(), comments=others).stdout)
    assert (kind, call["comment_id"]) == ("update", 3)


@pytest.mark.parametrize(
    "result",
    [
        one(id="@octocat"), one(id="a`b"), one(id="x" * 65), one(id=None), one(status="<b>"), one(status="constructor"),
        one(score={**ZERO, "earned": "5"}), one(score={**ZERO, "percent": -1}), one(score=None), {"submissions": "x"},
        {"submissions": [one()["submissions"][0]] * 101}, "[", "null", " " * 300_000, None,
    ],
)  # fmt: skip
def test_stage_two_takes_the_artifact_for_hostile_data(tmp_path: Path, result: Any) -> None:
    done = comment(tmp_path, result)
    assert done.returncode == 1
    assert done.stdout == ""


def test_stage_two_follows_no_link_and_comments_on_no_closed_pull_request(tmp_path: Path) -> None:
    (tmp_path / "grader-results").mkdir()
    (tmp_path / "elsewhere.json").write_text(json.dumps(one()))
    (tmp_path / "grader-results" / "result.json").symlink_to(tmp_path / "elsewhere.json")
    assert comment(tmp_path, None).returncode == 1
    ((kind, _),) = json.loads(comment(tmp_path, None, pulls=[]).stdout)
    assert kind == "notice"


def test_the_gitlab_template_runs_our_command_with_variables_alone() -> None:
    template = load(ROOT / "examples" / "gitlab" / "grade.gitlab-ci.yml")
    job = template["grade"]
    assert job["variables"]["GIT_DEPTH"] == "0"
    assert job["artifacts"]["reports"] == {
        "junit": "grader-results/junit.xml", "codequality": "grader-results/codequality.json",
    }  # fmt: skip
    (script,) = job["script"]
    assert all(f'"{name}"' in script for name in re.findall(r"\$\w+", script))
