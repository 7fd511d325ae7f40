"""JUnit XML for the test views of code hosts and build servers: a suite for each task, a case for each check.

There is no official schema; what is written fits the one that Jenkins publishes for its xUnit plugin (junit-10.xsd),
which is the narrowest of those in use. What is ours to answer for is an `error`, what is the candidate's a `failure`;
a check that could not be judged is `skipped`. A written question fails only where it earned nothing: a share of its
points is a score, not a defect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from grader.model import Json
from grader.reports.effective import OURS, UNANSWERED, earned, outcome, total
from grader.reports.look import Look
from grader.text import sanitize_line, sanitize_text

_MAX_OUTPUT = 4096
# GitLab and Jenkins make a link of [[ATTACHMENT|path]] in what a test printed: a candidate's must stay text.
_ATTACHMENT = re.compile(r"\[\[(?=\s*ATTACHMENT)", re.IGNORECASE)
_COUNTS = ("tests", "failures", "errors", "skipped")


def document(record: Json, look: Look) -> str:
    """The suites of one submission."""
    return documents([record], look)


def documents(records: Sequence[Json], look: Look) -> str:
    """The suites of many: `<submission>.<task>` each, so that names stay unique."""
    root = ET.Element("testsuites", name="grader")
    for record in records:
        root.extend(_suites(record, look.lang))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suites(record: Json, lang: str) -> Iterator[ET.Element]:
    if record["status"] == "rejected" or not record["tasks"]:
        kind = "failure" if record["status"] == "rejected" else "error"
        reason = record["reason"] or record["status"]
        yield _suite(record, "intake", [_case("submission", "", kind, record["status"], reason)])
        return
    for task in record["tasks"]:
        yield _suite(record, task["task"], list(_cases(task, lang)), task)


def _suite(record: Json, name: str, cases: list[ET.Element], task: Json | None = None) -> ET.Element:
    full = f"{record['submission']['id']}.{name}"
    suite = ET.Element("testsuite", name=full)
    counts = (len(cases), *(sum(case.find(kind) is not None for case in cases) for kind in _KINDS))
    for label, count in zip(_COUNTS, counts, strict=True):
        suite.set(label, str(count))
    suite.set("timestamp", _line(record["run"]["started_at"]))
    if task and task["resources"]:
        suite.set("time", f"{task['resources']['wall_s']:.3f}")
    properties = ET.SubElement(suite, "properties")
    for label, value in _properties(record, task):
        ET.SubElement(properties, "property", name=label, value=_line(value))
    for case in cases:
        case.set("classname", full)
        suite.append(case)
    return suite


_KINDS = ("failure", "error", "skipped")


def _properties(record: Json, task: Json | None) -> Iterator[tuple[str, str]]:
    yield "candidate", record["submission"]["candidate"]
    yield "sha256", record["submission"]["sha256"]
    yield "isolated", "true" if record["run"]["isolated"] else "false"
    yield "backend", record["run"]["backend"]
    if task:
        score = total(task)
        yield "earned", f"{score['earned']:g}"
        yield "possible", f"{score['possible']:g}"
        yield "percent", f"{score['percent']:g}"


def _cases(task: Json, lang: str) -> Iterator[ET.Element]:
    for check in task["checks"]:
        yield _check(check, lang)
    for question in task["questions"]:
        yield _question(question)
    if task["checks"] or task["questions"]:
        return
    kind = "error" if task["status"] == "ungraded" else "failure"
    yield _case("submission", "", kind, task["status"], task["reason"] or task["status"])


def _check(check: Json, lang: str) -> ET.Element:
    how = outcome(check)
    points = f"{earned(check):g} of {check['possible']:g} points"
    if how == "passed":
        case = _case(check["id"])
    else:
        kind = "error" if how in OURS else "skipped" if how == "blocked" else "failure"
        title = (check["title_zh"] if lang == "zh" else "") or check["title"]
        hint = (check["hint_zh"] if lang == "zh" else "") or check["hint"]
        where = f"{check['location']}  {check['exception']}".strip()
        lines = (check["message"], where, hint, points)
        case = _case(check["id"], "\n".join(filter(None, lines)), kind, how, title)
    if check["duration_s"] is not None:
        case.set("time", f"{check['duration_s']:.3f}")
    if check["output"]:
        ET.SubElement(case, "system-out").text = _text(check["output"])
    return case


def _question(question: Json) -> ET.Element:
    score = total(question)
    points = f"{score['earned']:g} of {score['possible']:g} points"
    if UNANSWERED in question["flags"] or question["language"] == "none":
        return _case(question["id"], points, "skipped", "unanswered", "unanswered")
    if not score["earned"]:
        return _case(question["id"], points, "failure", "no_points", "no point of the rubric was found")
    case = _case(question["id"])
    flags = f" (flags: {', '.join(question['flags'])})" if question["flags"] else ""
    ET.SubElement(case, "system-out").text = _text(points + flags)
    return case


def _case(name: str, text: str = "", kind: str = "", how: str = "", message: str = "") -> ET.Element:
    """A case that passed, or one that ended as `kind` says."""
    case = ET.Element("testcase", name=_line(name))
    if kind:
        end = ET.SubElement(case, kind, type=_line(how), message=_line(message))
        end.text = _text(text or message)
    return case


def _line(text: str) -> str:
    return _ATTACHMENT.sub("[ [", sanitize_line(text, 500))


def _text(text: str) -> str:
    """Text that XML 1.0 can hold; escaping is the library's."""
    return _ATTACHMENT.sub("[ [", sanitize_text(text, _MAX_OUTPUT))
