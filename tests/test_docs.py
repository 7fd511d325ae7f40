"""The documents say what is: every command in them exists, every command is documented, every link leads somewhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from grader.cli import cli
from grader.config import OPTIONS
from grader.errors import ExitCode
from grader.model import Outcome
from grader.schemas import load_schema
from tests.cli_page import page, text_and_examples, walk

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = dict(walk(cli))
_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _quoted(text: str) -> Iterator[str]:
    """Each command of ours: lines of console blocks, and code spans that begin with it."""
    for line in text.splitlines():
        if line.startswith("$ grader "):
            yield line[2:]
    yield from re.findall(r"`(grader [^`]+)`", text)


def _all_commands() -> list[object]:
    found = [(path, line) for path in DOCUMENTS for line in _quoted(path.read_text(encoding="utf-8"))]
    return [pytest.param(line, id=f"{_relative(path)}: {line[:60]}") for path, line in dict.fromkeys(found)]


def _resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` (without "grader") names, and the words that are left."""
    command: click.Command = cli
    while words and isinstance(command, click.Group) and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


@pytest.mark.parametrize("line", _all_commands())
def test_every_command_in_the_documents_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0], comments=True)
    command, rest = _resolve(words[1:])
    names = (name for param in command.params for name in (*param.opts, *param.secondary_opts))
    known = {*names, "--debug", "--help", "-h"}
    assert command is not cli or all(word.startswith("-") for word in rest), f"there is no such command: {line}"
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known, f"no such option: {line}"


def test_settings_file_and_environment_variables_that_documents_name_exist() -> None:
    named = {word for path in DOCUMENTS for word in re.findall(r"GRADER_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert named <= {option.variable for option in OPTIONS.values()}


def test_command_page_is_what_the_commands_say() -> None:
    assert (ROOT / "docs" / "cli.md").read_text(encoding="utf-8") == page(), (
        "run: python -m tests.cli_page > docs/cli.md"
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_is_its_own(name: str) -> None:
    _, examples = text_and_examples(COMMANDS[name])
    assert any(example.startswith(name) for example in examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_keeps_examples_on_lines_of_their_own(name: str) -> None:
    text = COMMANDS[name].get_help(click.Context(COMMANDS[name], info_name=name))
    assert "\\b" not in text
    assert "\n  Example:\n" in text


@pytest.mark.parametrize("path", DOCUMENTS, ids=_relative)
def test_every_link_leads_to_a_file_and_a_heading(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for target, anchor in _LINK.findall(text):
        if "://" in target:
            continue
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), f"{target} does not exist"
        if anchor:
            headings = _HEADING.findall(_FENCE.sub("", file.read_text(encoding="utf-8")))
            assert anchor[1:] in {_slug(heading) for heading in headings}, f"{target} has no heading {anchor}"


def _slug(heading: str) -> str:
    """The anchor of a heading, as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_readme_has_every_outcome_and_exit_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) == {str(outcome) for outcome in Outcome}
    codes = readme.partition("## Exit codes")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| (\d+) \|", codes, re.MULTILINE)) == {str(code.value) for code in ExitCode}


def test_report_page_names_every_field_of_the_schema() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    schema = load_schema("report")
    properties = schema["properties"]
    fields = set(properties) | set(properties["run"]["properties"]) | set(properties["submission"]["properties"])
    for part in schema["$defs"].values():
        fields |= set(part.get("properties", {}))
    words = set(re.findall(r"\w+", text))
    assert fields <= words, f"not explained: {sorted(fields - words)}"


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in DOCUMENTS:
        named = re.findall(r"(?:`|^\$ )make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= targets, _relative(path)
