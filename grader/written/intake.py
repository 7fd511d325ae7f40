"""Finds the answers in a submission's files: one file for each question, one file with headings, or Markdown cells.

The bytes are hostile: they are decoded, cut by plain string methods and looked at line by line. A heading of level one
to four, or a line that is nothing but a question's number, begins an answer: "## Q1", "## 1.", "## 问题1",
"## 第１题", "# q01 ...".
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from grader.text import sanitize_line, sanitize_text
from grader.written.markup import without_markup

ANSWERS_FILE = "answers"
_MAX_BYTES = 2 * 1024**2
"""Of one file that is parsed; what is longer is cut, and the answer flagged."""
_MAX_CELLS = 2_000
_PER_QUESTION = re.compile(r"(?:.*/)?q(?:uestion)?[_ -]?0*([0-9]{1,3})\.(?:md|txt|markdown)", re.IGNORECASE)
_HEADING = re.compile(
    r"(?:#{1,4}|\*\*)?\s{0,3}(?:question|q|问题|题目|第|问|题)?\s{0,3}[.#:]?\s{0,3}0{0,2}([0-9]{1,3})\s{0,3}(?:题|问)?(?:\*\*)?(?:[.:)、,]|\s|$)(.*)",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?:#{1,4}|\*\*)?\s{0,3}(?:question|q|问题|题目|第|问|题)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The text that answers one question, and what intake saw on the way to it."""

    text: str
    """Without escapes and invisible marks, so that what is graded is what a person sees, to the character."""
    source: str
    """The file, for a reader who wants to look."""
    is_text: bool = True
    """False where the bytes were no text."""
    has_markup: bool = False
    cut: bool = False


@dataclass(slots=True)
class Answers:
    """All answers by question id, and notes on what was odd."""

    by_question: dict[str, Answer] = field(default_factory=dict)
    duplicates: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)


def find_answers(files: Mapping[str, bytes], known: Iterable[str]) -> Answers:
    """The answers in `files`. `known`: ids of the questions that exist; () takes any number as known."""
    answers, ids = Answers(), frozenset(known)
    for question, found in _candidates(files):
        answer = replace(found, text=sanitize_text(found.text, len(found.text)))
        if ids and question not in ids:
            answers.notes.append(f"{sanitize_line(answer.source, 80)}: there is no question {question}; not graded")
        elif question in answers.by_question:
            _add_twice(answers, question, answer)
        else:
            answers.by_question[question] = answer
    return answers


def _add_twice(answers: Answers, question: str, answer: Answer) -> None:
    """Two answers to one question: the longer one counts, and a person is told."""
    if answer.text.strip() == answers.by_question[question].text.strip():
        return
    answers.duplicates.add(question)
    answers.notes.append(f"{question} is answered twice; the longer answer counts")
    if len(answer.text) > len(answers.by_question[question].text):
        answers.by_question[question] = answer


def _candidates(files: Mapping[str, bytes]) -> Iterator[tuple[str, Answer]]:
    """(question, answer) in a fixed order: single files first, then those with headings, then notebooks."""
    for path in sorted(files):
        match = _PER_QUESTION.fullmatch(path) if path.startswith(f"{ANSWERS_FILE}/") else None
        if match:
            yield f"q{int(match.group(1)):02}", _read(files[path], path)
    for path in (f"{ANSWERS_FILE}.md", f"{ANSWERS_FILE}.txt", f"{ANSWERS_FILE}/{ANSWERS_FILE}.md", "submission.md"):
        if path in files:
            yield from _sections(_read(files[path], path))
    for path in (f"{ANSWERS_FILE}.ipynb", "submission.ipynb"):
        if path in files:
            yield from _sections(Answer(text="\n\n".join(_cells(files[path])), source=path))


def _sections(whole: Answer) -> Iterator[tuple[str, Answer]]:
    """The answers below the headings of one text."""
    question, lines = "", list[str]()
    fenced = False
    for line in [*whole.text.split("\n"), None]:
        number, rest = _heading(line) if line is not None and not fenced else (0, "")
        fenced ^= line is not None and line.lstrip().startswith("```")
        if (number or line is None) and question:
            yield (
                question,
                Answer(
                    text="\n".join(lines).strip("\n"),
                    source=whole.source,
                    is_text=whole.is_text,
                    has_markup=whole.has_markup,
                    cut=whole.cut,
                ),
            )
        if number:
            question, lines = f"q{number:02}", [rest] if rest else []
        elif line is not None:
            lines.append(line)


def _heading(line: str) -> tuple[int, str]:
    """The question's number where `line` begins an answer, and the rest of the line; (0, "") where it does not.

    A bare "1." begins one only as a Markdown heading: lists inside an answer look the same.
    """
    plain = unicodedata.normalize("NFKC", line[:200]).strip()
    match = _HEADING.fullmatch(plain)
    if not match or not (plain.startswith("#") or (_WORD.match(plain) and len(plain) <= 12)):
        return 0, ""
    return int(match.group(1)), match.group(2).strip()


def _cells(data: bytes) -> Iterator[str]:
    """The Markdown cells of a notebook; nothing where it is none."""
    try:
        cells = json.loads(data.decode("utf-8-sig"))["cells"]
        for cell in cells[:_MAX_CELLS]:
            if cell.get("cell_type") == "markdown":
                source = cell["source"]
                yield source if isinstance(source, str) else "".join(map(str, source))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return


def _read(data: bytes, path: str) -> Answer:
    """The text of a file: UTF-8, UTF-16 with its mark, or GB18030; markup stripped of scripts and tags."""
    part = data[:_MAX_BYTES]
    text = _decode(part)
    if text is None:
        return Answer(text="", source=path, is_text=False)
    plain, has_markup = without_markup(text)
    return Answer(text=plain, source=path, has_markup=has_markup, cut=len(data) > _MAX_BYTES)


def _decode(data: bytes) -> str | None:
    """`data` as text with one kind of line break; None where it is none in any encoding that people use."""
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    for name in (encoding, "gb18030"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError as error:
            if error.start < len(data) - 4 or len(data) < _MAX_BYTES:  # else: the cap cut a character
                continue
            text = data[: error.start].decode(name)
        return None if _is_binary(text) else text.replace("\r\n", "\n").replace("\r", "\n")
    return None


def _is_binary(text: str) -> bool:
    """True for a text with NUL or many other control or unassigned characters."""
    sample = text[:20_000]
    odd = sum(unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") and char not in "\n\r\t\f\v" for char in sample)
    return "\0" in sample or odd > 0.02 * len(sample)
