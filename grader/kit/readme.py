"""The kit's README in both languages: what to do, with two commands."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from grader.kit.finding import WORK
from grader.model import Task
from grader.task import KIT_TASKS

_LANGUAGES = {"README.md": "en", "README.zh-CN.md": "zh"}
_ANSWERS = {
    "en": " Written answers are read by a machine and by people; `grader check` only lists which it found.",
    "zh": "书面问答由程序与人共同评阅；`grader check` 只列出找到了哪些题的回答。",
}


def readmes(tasks: Mapping[str, Task], wheel: str) -> dict[str, str]:
    """The text of each README by its name; `wheel` is the file to install."""
    return {name: _readme(name, language, tasks, wheel) for name, language in _LANGUAGES.items()}


def _readme(name: str, language: str, tasks: Mapping[str, Task], wheel: str) -> str:
    written = any(task.kind == "written" for task in tasks.values())
    code = [task.id for task in tasks.values() if task.kind == "code"]
    template = Template(files("grader.kit").joinpath(f"text/{name}.in").read_text(encoding="utf-8"))
    return template.substitute(
        rows="\n".join(_row(task, language) for task in tasks.values()),
        wheel=wheel,
        first=next(iter(code or tasks)),
        answers=_ANSWERS[language] if written else "",
    )


def _row(task: Task, language: str) -> str:
    prompt = f"{KIT_TASKS}/{task.id}/" + ("PROMPT.zh.md" if language == "zh" and _has_chinese(task) else "PROMPT.md")
    file = "answers.md" if task.kind == "written" else f"{task.id}.py"
    title = task.title.in_language(language).replace("|", "\\|")
    return f"| {title} | {task.possible:g} | `{WORK}/{file}` | [{prompt}]({prompt}) |"


def _has_chinese(task: Task) -> bool:
    return Path(task.root, "PROMPT.zh.md").is_file()
