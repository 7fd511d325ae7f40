"""Remarks on lines of a candidate's own files, for code hosts that show them beside a change.

A line comes from where the candidate's code raised (`location` of a check), which that code can influence: a path is
used only where the submission has such a file. Everything else of a remark is text, escaped for its sink.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from grader.model import Json
from grader.reports.effective import OURS, outcome
from grader.reports.our_words import in_words
from grader.text import sanitize_line, sanitize_text

MAX_ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings of a step."""
_LOCATION = re.compile(r"(?P<file>[^\[\]:\\\x00-\x1f]{1,240}?)(?P<cell>\[cell \d{1,4}\])?:(?P<line>\d{1,6})")
_MAX_TEXT = 1000
# The runner also takes "##[command]" anywhere in a line, unless the line is a command already: no line of ours has it.
_OLD_COMMAND = re.compile(r"##(?=\[)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One remark. `level` is error, warning or notice; `line` is 0 where the whole file is meant."""

    level: str
    path: str
    """Relative to the repository; "" for a remark on the whole change."""
    line: int
    title: str
    message: str


def annotations_of(record: Json, path: str, has_file: Callable[[str], bool], lang: str = "en") -> list[Annotation]:
    """The remarks on a submission: an error for each line where it raised, and one where it was not graded.

    `path` is where the submission lies in the repository; `has_file` says whether it has a file of that name there
    (never, for an archive). Checks that raised at one line share a remark.
    """
    name = record["submission"]["id"]
    if record["status"] != "graded":
        level = "error" if record["status"] == "rejected" else "warning"
        about = record["reason"] or record["status"]
        return [Annotation(level=level, path=path, line=0, title=f"{name}: {record['status']}", message=about)]
    texts: dict[tuple[str, int], list[str]] = {}
    titles: dict[tuple[str, int], str] = {}
    for check in _raised(record):
        place = _place(check["location"], path, has_file) if check["location"] else (path, 0)
        titles.setdefault(place, f"{name}: {check['exception'] or check['outcome']}")
        # What leaves nothing to call (a syntax error, say) is one thing, and would be said by every check.
        text = _about(check, lang) if check["location"] else in_words(check["message"], lang)
        if text not in (rows := texts.setdefault(place, [])):
            rows.append(text)
    return [
        Annotation(level="error", path=place[0], line=place[1], title=titles[place], message="\n".join(rows))
        for place, rows in texts.items()
    ]


def as_commands(annotations: Iterable[Annotation]) -> str:
    """GitHub's workflow commands, a line for each; hostile text can neither end one nor begin another."""
    lines = []
    for one in list(annotations)[:MAX_ANNOTATIONS]:
        place = {"file": one.path, "line": str(one.line) if one.line else ""}
        properties = {**place, "title": sanitize_line(one.title)}
        inside = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
        lines.append(f"::{one.level} {inside}::{_data(sanitize_text(one.message, _MAX_TEXT))}")
    return "".join(f"{_OLD_COMMAND.sub('# #', line)}\n" for line in lines)


def as_code_quality(annotations: Sequence[Annotation]) -> str:
    """GitLab's Code Quality report, which it shows in the change itself."""
    levels = {"error": "major", "warning": "minor", "notice": "info"}
    rows = [
        {
            "description": sanitize_line(f"{one.title}: {one.message}", _MAX_TEXT),
            "check_name": "grader",
            "fingerprint": hashlib.sha256(repr(one).encode("utf-8", "surrogatepass")).hexdigest(),
            "severity": levels[one.level],
            "location": {"path": sanitize_line(one.path, 500), "lines": {"begin": max(one.line, 1)}},
        }
        for one in annotations
        if one.path
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _raised(record: Json) -> Iterator[Json]:
    """The checks that ended at a line of the candidate's file, by the candidate's doing, or had nothing to call."""
    for task in record["tasks"]:
        for check in task["checks"]:
            how = outcome(check)
            if (check["location"] and how not in ("passed", *OURS)) or (how == "invalid" and check["message"]):
                yield check


def _place(location: str, path: str, has_file: Callable[[str], bool]) -> tuple[str, int]:
    """File and line in the repository; of a notebook's cell the file alone, of an archive the archive."""
    match = _LOCATION.fullmatch(location)
    if match is None or ".." in match["file"].split("/") or not has_file(match["file"]):
        return path, 0
    file = (
        match["file"]
        if path in ("", ".")
        else path
        if path.endswith(f"/{match['file']}")
        else f"{path}/{match['file']}"
    )
    return file, 0 if match["cell"] else int(match["line"])


def _about(check: Json, lang: str) -> str:
    title = (check["title_zh"] if lang == "zh" else "") or check["title"]
    hint = (check["hint_zh"] if lang == "zh" else "") or check["hint"]
    where = f" ({check['location']})" if "[cell " in check["location"] else ""
    return "\n".join(filter(None, (f"{title}{where}", in_words(check["message"], lang), hint)))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    clean = sanitize_line(text, 500)
    return _data(clean).replace(":", "%3A").replace(",", "%2C")
