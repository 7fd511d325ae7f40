"""The documents say what is: commands are understood and documented, links lead somewhere, words are explained.

Commands that cost nothing are run, see test_docs_run.py.
"""

from __future__ import annotations

import json
import re
import shlex
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
DOCUMENTS = [*sorted(ROOT.glob("README*.md")), *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = dict(walk(cli))
_LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def console(text: str) -> list[str]:
    """The command lines of console blocks, without the prompt and what follows in a comment."""
    blocks = re.findall(r"^```console$(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [
        line[2:].partition("  #")[0].rstrip() for block in blocks for line in block.splitlines() if line[:2] == "$ "
    ]


def _lines() -> list[tuple[Path, str]]:
    return [(path, line) for path in DOCUMENTS for line in console(path.read_text(encoding="utf-8"))]


def _spans() -> list[tuple[Path, str]]:
    """Code spans that begin with a command of ours; they may leave arguments out."""
    texts = ((path, path.read_text(encoding="utf-8")) for path in DOCUMENTS)
    return [(path, line) for path, text in texts for line in re.findall(r"`(grader [^`]+)`", text)]


def params(found: list[tuple[Path, str]]) -> list[object]:
    """Each once, named for the document and the line."""
    return [pytest.param(line, id=f"{_relative(path)}: {line[:60]}") for path, line in dict.fromkeys(found)]


OURS = [(path, line) for path, line in _lines() if line.startswith("grader ")]
OTHERS = [(path, line) for path, line in _lines() if not line.startswith("grader ")]


def _resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` (without "grader") names, and the words that are left."""
    command: click.Command = cli
    while words and isinstance(command, click.Group) and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def _refusal(command: click.Command, words: list[str]) -> str:
    """What Click says against these words; "" where it takes them: names, values, how many arguments."""
    try:
        command.make_context(command.name, list(words))
    except click.exceptions.Exit:
        return ""  # --help and --version
    except click.UsageError as error:
        return error.format_message()
    return ""


@pytest.mark.parametrize("line", params(OURS + _spans()))
def test_every_command_in_the_documents_exists_with_its_options(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0], comments=True)
    command, rest = _resolve(words[1:])
    known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)} | {
        "--debug",
        "--help",
        "-h",
    }
    assert command is not cli or all(word.startswith("-") for word in rest), f"there is no such command: {line}"
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known, f"no such option: {line}"


@pytest.mark.parametrize("line", params(OURS))
def test_every_command_line_in_the_documents_is_understood(line: str) -> None:
    words = shlex.split(line.partition(" > ")[0], comments=True)
    command, rest = _resolve(words[1:])
    assert _refusal(command, [word for word in rest if word != "--debug"]) == "", line


@pytest.mark.parametrize("line", params(OTHERS))
def test_every_other_command_line_in_the_documents_can_be_run_here(line: str) -> None:
    """Targets of the Makefile, modules of the repository, pip, and the shell's own."""
    program, *rest = shlex.split(line.partition(" > ")[0].replace("<", "").replace(">", ""))
    if program == "python" and rest[0] == "-m":
        path = ROOT.joinpath(*rest[1].split("."))
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), line
    else:
        assert program in {"make", "pip", "source", "docker", "openssl"}, line


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


@pytest.mark.parametrize(("name", "heading"), [("README.md", "## Exit codes"), ("README.zh-CN.md", "## 退出码")])
def test_readme_has_every_outcome_and_exit_code(name: str, heading: str) -> None:
    readme = (ROOT / name).read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) == {str(outcome) for outcome in Outcome}
    codes = readme.partition(heading)[2].partition("\n## ")[0]
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


def test_report_page_names_no_field_that_the_schema_lacks() -> None:
    """First column of the tables on report.json itself: what a review and other formats add has sections of its own."""
    known = set(re.findall(r'"(\w+)"', json.dumps(load_schema("report"))))
    page = (ROOT / "docs" / "report.md").read_text(encoding="utf-8").partition("\n## After a review")[0]
    tables = re.findall(r"^\| (`[^|]+) \|", page, re.MULTILINE)
    named = {name for cell in tables for span in re.findall(r"`([^`]+)`", cell) for name in re.findall(r"\w+", span)}
    assert len(named) > 60
    assert named <= known


def test_the_glossary_has_both_languages() -> None:
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|", (ROOT / "docs" / "glossary.md").read_text("utf-8"), re.MULTILINE)
    words = [(word, chinese) for word, chinese in rows if word != "word" and not word.startswith("-")]
    assert len(words) > 20
    assert [word for word, chinese in words if not re.search("[\u4e00-\u9fff]", chinese)] == []


def test_make_targets_that_documents_name_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in DOCUMENTS:
        named = re.findall(r"(?:`|^\$ )make ([a-z]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(named) <= targets, _relative(path)


def test_both_readmes_have_the_same_commands() -> None:
    """In the same order; the Chinese one asks for Chinese where a candidate reads the output."""

    def commands(name: str) -> list[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        lines = re.findall(r"^\$ ((?:make|grader|pip) [^#\n]*)", text, re.MULTILINE)
        return [re.sub(r" --lang zh|<[^>]*>", "", line).strip() for line in lines]

    assert commands("README.md") == commands("README.zh-CN.md")
