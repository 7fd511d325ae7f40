"""The file that candidates may start from: every question in both languages, and a heading for each answer.

    python -m grader.written.template tasks/written

writes `answers_template.md` again after a question changed. The questions stand before the first heading, where intake
does not read: below a heading they would count as the question copied into the answer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from grader.atomic import write_text
from grader.errors import GraderError
from grader.written.rubric import Rubric, load_rubrics

TEMPLATE = "answers_template.md"
_START = """# Written answers / 书面问答题

Save this file as `answers.md` in your submission and write each answer below its heading, in English, Chinese or both.
Leave the headings of questions that you do not answer as they are. What stands above the heading Q1 is not read.

请将本文件另存为提交目录中的 `answers.md`，在对应标题下作答，可用中文、英文或中英混合。
不作答的题目保留空标题即可。标题 Q1 之前的内容不会被阅读。
"""


def answers_template(rubrics: Iterable[Rubric]) -> str:
    """The questions as a list, then a heading for each, in the order of `rubrics`."""
    numbered = [(int(rubric.id.removeprefix("q")), rubric.question) for rubric in rubrics]
    questions = [f"- **Q{number}** {question.en}\n  {question.zh}" for number, question in numbered]
    headings = [f"## Q{number}\n\n" for number, _ in numbered]
    return "\n".join([_START, *questions, "", *headings]).rstrip("\n") + "\n"


def problem_of(root: Path) -> str:
    """What is wrong with the template of the written task in `root`; "" where it has its questions."""
    path = root / TEMPLATE
    again = f"run python -m grader.written.template {root}"
    if not path.is_file():
        return f"{TEMPLATE} is missing, so a kit has nothing to write into: {again}"
    kept = path.read_text(encoding="utf-8", errors="replace")
    return "" if kept == answers_template(load_rubrics(root).values()) else f"{TEMPLATE} has other questions: {again}"


def main(arguments: list[str]) -> None:
    """Writes the template into the folder of a written task."""
    if len(arguments) > 1 or arguments[:1] in (["-h"], ["--help"]):
        sys.exit("usage: python -m grader.written.template [FOLDER OF THE TASK]   (by default tasks/written)")
    root = Path(arguments[0] if arguments else "tasks/written")
    write_text(root / TEMPLATE, answers_template(load_rubrics(root).values()))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except GraderError as error:
        sys.exit(f"grader: {error}")
