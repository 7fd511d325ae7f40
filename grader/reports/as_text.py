"""The summary that `grade` and `check` print: the score, where the points went, and each check worth a look.

Made from a record (`as_json.to_json` or the candidate's copy), never from a `Report`: what is printed is what is
stored. All of it passed `sanitize_text` before; only our own colours add escapes, and only where asked for.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from grader.model import Json
from grader.reports.groups import Group, grouped
from grader.reports.look import Look, Page
from grader.reports.our_words import in_words
from grader.reports.review_text import human_lines, reviewed_of, summary_lines
from grader.reports.written_text import written_lines
from grader.text import columns_of

_BAR_CELLS = 20
_MAX_OUTPUT_LINES = 6
_WORDS = {
    "en": {
        "graded": "graded", "rejected": "rejected", "ungraded": "ungraded", "missing": "missing",
        "not isolated": "not isolated: for self-checks only, not a verdict", "note": "note", "raised at": "raised at",
        "hint": "hint", "printed": "printed", "likely cause": "likely cause", "ask": "ask",
        "all passed": "all checks passed", "same": "the same in {} checks",
        "passed": "passed", "failed": "wrong answer", "timeout": "too slow", "memory": "out of memory",
        "raised": "raised an exception", "crashed": "process ended", "invalid": "nothing to call",
        "output_limit": "too much output", "protocol": "broke the protocol",
        "blocked": "not judged (depends on another)",
        "task_broken": "task broken (our fault)", "sandbox_down": "sandbox down (our fault)",
    },
    "zh": {
        "graded": "已评分", "rejected": "已拒收", "ungraded": "未评分", "missing": "未提交",
        "not isolated": "未隔离：仅供自查，不作为结论", "note": "备注", "raised at": "抛出位置",
        "hint": "提示", "printed": "输出", "likely cause": "可能原因", "ask": "可追问",
        "all passed": "全部检查通过", "same": "{} 项检查结果相同",
        "passed": "通过", "failed": "结果错误", "timeout": "超时", "memory": "内存不足",
        "raised": "抛出异常", "crashed": "进程意外结束", "invalid": "没有可调用的函数",
        "output_limit": "输出过多", "protocol": "违反协议", "blocked": "未判定（依赖其他检查）",
        "task_broken": "题目有误（我方责任）", "sandbox_down": "沙箱故障（我方责任）",
    },
}  # fmt: skip
_CODES = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def render(record: Json, lang: str = "en", *, color: bool = False, width: int = 100) -> str:
    """The record as text for a terminal of `width` columns, in "en" or "zh"; no escape unless `color`."""
    page = _Page(lang, color=color, width=max(width, 40))
    return "\n".join(page.lines(record)) + "\n"


def document(record: Json, look: Look) -> str:
    """The record as text, for `grader report --format text`."""
    return render(record, look.lang, color=look.color, width=look.width)


def outcome_in_words(outcome: str, lang: str) -> str:
    """What a check's outcome means."""
    return _WORDS["zh" if lang == "zh" else "en"].get(outcome, outcome)


class _Page:
    """The choices that hold for one summary: language, colour, width."""

    def __init__(self, lang: str, *, color: bool, width: int) -> None:
        self._page = Page(lang=lang, paint=self._paint, wrap=self._wrap, columns=columns_of)
        self._suffix = "_zh" if lang == "zh" else ""
        self._words = _WORDS["zh" if lang == "zh" else "en"]
        self._color = color
        self._width = width

    def lines(self, record: Json) -> Iterator[str]:
        """The whole summary."""
        submission, score = record["submission"], record["score"]
        name = submission["candidate"] or submission["id"]
        total = f"{score['earned']:g} / {score['possible']:g} ({score['percent']:g} %)"
        status = self._words[record["status"]]
        yield self._paint(f"{name}: {total}  {status}", "bold")
        yield from summary_lines(record, self._page)
        if record["reason"]:
            yield from self._wrap(self._said(record["reason"]), "  ")
        if not record["run"]["isolated"] and any(map(_ran_code, record["tasks"])):
            yield self._paint(f"  {self._words['not isolated']}", "yellow")
        for note in submission["notes"]:
            yield from self._wrap(f"{self._words['note']}: {self._said(note)}", "  ")
        for task in record["tasks"]:
            yield from self._task(task)

    def _task(self, task: Json) -> Iterator[str]:
        score = task["score"]
        status = "" if task["status"] == "graded" else f"  {self._words[task['status']]}"
        yield ""
        title = self._in_language(task, "title")
        second = reviewed_of(task, score["earned"], self._page)
        yield self._paint(f"{title}  {score['earned']:g} / {score['possible']:g}{status}{second}", "bold")
        if task["reason"] and not task["questions"]:
            yield from self._wrap(self._said(task["reason"]), "  ")
        if task["status"] == "missing":
            return
        for note in task.get("notes", []):
            yield from self._wrap(f"{self._words['note']}: {self._said(note)}", "  ")
        if task["checks"] or not task["questions"]:
            yield from self._criteria(task["criteria"])
        if task["questions"]:
            yield from written_lines(task, self._page)
        yield from self._diagnosis(task["diagnosis"])
        yield from self._checks(task["checks"])

    def _criteria(self, criteria: list[Json]) -> Iterator[str]:
        """One bar for each criterion, its numbers in columns."""
        titles = [self._in_language(row, "title") for row in criteria]
        column = min(max(map(columns_of, titles), default=0), self._width - _BAR_CELLS - 20)
        for title, row in zip(titles, criteria, strict=True):
            share = row["earned"] / row["possible"] if row["possible"] else 0.0
            # Rounded down: a full bar means full marks.
            filled = int(share * _BAR_CELLS + 1e-9)
            bar = self._paint("#" * filled, _hue(share)) + self._paint("." * (_BAR_CELLS - filled), "dim")
            padding = " " * max(column - columns_of(title), 0)
            second = reviewed_of(row, row["earned"], self._page)
            yield f"  {title}{padding}  [{bar}] {row['earned']:>6g} / {row['possible']:g}{second}"

    def _diagnosis(self, rows: list[Json]) -> Iterator[str]:
        """The likely slips, most confident first, with what speaks for each and what one could ask."""
        for row in rows:
            cause = f"{self._words['likely cause']} ({row['confidence']:.0%}): {self._in_language(row, 'bug')}"
            yield from self._wrap(cause, "  ")
            if row["evidence"]:
                yield from self._wrap(row["evidence"], "      ")
            if row["question"]:
                yield from self._wrap(f"{self._words['ask']}: {self._in_language(row, 'question')}", "      ")

    def _checks(self, checks: list[Json]) -> Iterator[str]:
        """Each check that did not pass or that a person judged; one line where all passed."""
        if checks and all(check["outcome"] == "passed" for check in checks):
            yield self._paint(f"  {self._words['all passed']} ({len(checks)})", "green")
        for group in grouped([check for check in checks if check["outcome"] != "passed" or check.get("human")]):
            yield from self._check(group.checks[0]) if len(group.checks) == 1 else self._alike(group)

    def _alike(self, group: Group) -> Iterator[str]:
        """Checks that one thing cost: how they ended once, then their titles."""
        first, score = group.checks[0], group.score
        outcome = self._paint(self._words[first["outcome"]], "yellow" if score["earned"] else "red")
        title = self._words["same"].format(len(group.checks))
        yield f"  - {title}: {outcome}  {score['earned']:g} / {score['possible']:g}"
        yield from self._end(first)
        yield from self._printed(first)
        for check in group.checks:
            points = f"{check['earned']:g} / {check['possible']:g}"
            yield f"      - {self._in_language(check, 'title')} ({check['id']})  {points}"

    def _check(self, check: Json) -> Iterator[str]:
        """What was asked, how it ended, what was expected and seen, and the hint."""
        hue = "green" if check["outcome"] == "passed" else "yellow" if check["earned"] else "red"
        outcome = self._paint(self._words[check["outcome"]], hue)
        points = f"{check['earned']:g} / {check['possible']:g}"
        yield f"  - {self._in_language(check, 'title')} ({check['id']}): {outcome}  {points}"
        yield from human_lines(check, self._page, "      ")
        yield from self._end(check)
        hint = self._in_language(check, "hint")
        if hint:
            yield from self._wrap(f"{self._words['hint']}: {hint}", "      ")
        yield from self._printed(check)

    def _end(self, check: Json) -> Iterator[str]:
        """What was expected and seen; the place where the code raised, unless the message has it."""
        if check["message"]:
            yield from self._wrap(self._said(check["message"]), "      ")
        if check["location"] and f"{check['location']} in " not in check["message"]:
            yield f"      {self._words['raised at']} {check['location']}  {check['exception']}".rstrip()

    def _printed(self, check: Json) -> Iterator[str]:
        """The last lines that the code printed."""
        for line in check["output"].splitlines()[-_MAX_OUTPUT_LINES:]:
            yield self._paint(f"      {self._words['printed']} | {line[: self._width]}", "dim")

    def _said(self, text: str) -> str:
        """A line of ours in the page's language."""
        return in_words(text, self._page.lang)

    def _in_language(self, row: Json, name: str) -> str:
        """The text in the page's language; English where there is no other."""
        text: str = row[name + self._suffix] or row[name]
        return text

    def _wrap(self, text: str, indent: str) -> Iterator[str]:
        """`text` in lines that fit. A wide character gets a companion while wrapping, so that it counts double."""
        for line in text.splitlines():
            padded = "".join(char + "\0" * (columns_of(char) - 1) for char in line)
            for part in textwrap.wrap(padded, self._width, initial_indent=indent, subsequent_indent=indent):
                yield part.replace("\0", "")

    def _paint(self, text: str, name: str) -> str:
        return f"\x1b[{_CODES[name]}m{text}\x1b[0m" if self._color and text else text


def _ran_code(task: Json) -> bool:
    """True where code of the candidate ran, so that isolation matters."""
    return task["status"] != "missing" and not task["questions"]


def _hue(share: float) -> str:
    return "green" if share >= 1 else "yellow" if share > 0 else "red"
