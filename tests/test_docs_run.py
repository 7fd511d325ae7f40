"""Commands in the documents that cost nothing are run, and so are the examples of docs/api.md.

The rest is run elsewhere (`grade`, `check`, `image build`, the proofs) or only read by Click in test_docs.py.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.cli import cli
from grader.reports.as_json import write_report
from grader.scaffold import new_task
from tests.samples import full_report
from tests.test_docs import OURS, ROOT, params

RUN = ("kit", "schema", "tasks list", "tasks new", "tasks show")
CHEAP = [(path, line) for path, line in OURS if line.startswith(tuple(f"grader {name}" for name in RUN))]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of somebody who follows the documents: a clone, with results and tasks of their own."""
    for name in ("tasks", "candidates", "reference"):
        (tmp_path / name).symlink_to(ROOT / name)
    write_report(full_report(), tmp_path / "out" / "ada" / "report.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", params(CHEAP))
def test_a_command_of_the_documents_does_what_it_says(line: str, desk: Path) -> None:
    command, _, target = line.partition(" > ")
    words = shlex.split(command)[1:]
    if words[:2] != ["tasks", "new"]:
        new_task("tokenizer", desk / "my_tasks")
    result = CliRunner().invoke(cli, words, standalone_mode=False)
    assert result.exception is None, line
    if target:
        assert result.output
    if "-o" in words:
        assert any((desk / words[words.index("-o") + 1]).iterdir())


@pytest.mark.docker
@pytest.mark.slow
def test_the_examples_of_the_python_page_run(desk: Path, sandbox_image: str) -> None:
    blocks = re.findall(
        r"^```python$(.*?)^```$", (ROOT / "docs" / "api.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert len(blocks) == 5
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(blocks)], cwd=desk, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "contract" in done.stdout
    assert "there is no submission" in done.stdout or "nobody" in done.stdout
    assert (desk / "out" / "dana" / "report.json").is_file()


def test_the_names_of_the_package_are_those_of_the_python_page() -> None:
    import grader

    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    for name in set(grader.__all__) - {"__version__"}:
        assert getattr(grader, name).__name__ == name
        assert f"`{name}" in page
    assert set(grader.__all__) <= set(dir(grader))
    with pytest.raises(AttributeError, match="no attribute 'grad'"):
        grader.grad  # noqa: B018 -- the access is the test
