"""A summary in Markdown for a comment on a pull request or a job's summary page.

It stays below what a comment may hold, and is made of single lines, so that cutting it breaks nothing. What candidates
influenced stands in code spans (`markup`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from grader.model import Json
from grader.reports.effective import OURS, UNANSWERED, earned, flags, outcome, total, waiting
from grader.reports.groups import Group, grouped
from grader.reports.look import Look
from grader.reports.markup import code, escaped, row
from grader.reports.our_words import in_words

MAX_CHARS = 60_000
"""A comment on GitHub holds 65,536 characters."""
_MAX_CHECKS = 15
_MAX_TITLES = 8
"""Of checks that ended in the same way."""
_WORDS = {
    "en": {
        "graded": "graded", "rejected": "refused", "ungraded": "not graded (our fault: no verdict)",
        "missing": "nothing handed in", "submission": "submission", "score": "score", "points": "points",
        "status": "status", "task": "task", "criteria": "criterion", "checks": "checks passed", "review": "for review",
        "not isolated": "Not isolated: for self-checks only, not a verdict.", "hint": "hint", "more": "and {} more",
        "likely cause": "Likely cause", "none": "There is no result.", "all passed": "All checks passed.",
        "same": "The same in {} checks",
        "reviewed": "{} given by a person", "cut": "Cut here: the whole is in the job's artifacts.",
        "answered": "{answered} of {count} questions answered; {waiting} wait for a person",
        "flags": "flags", "reason": "Reason",
        "passed": "passed", "failed": "wrong answer", "timeout": "too slow", "memory": "out of memory",
        "raised": "raised", "crashed": "process ended", "invalid": "nothing to call",
        "output_limit": "too much output", "protocol": "broke the protocol", "blocked": "not judged",
        "task_broken": "task broken (our fault)", "sandbox_down": "sandbox down (our fault)",
    },
    "zh": {
        "graded": "已评分", "rejected": "已拒收", "ungraded": "未评分（我方责任，不作为结论）",
        "missing": "未提交", "submission": "提交", "score": "得分", "points": "分数",
        "status": "状态", "task": "题目", "criteria": "评分项", "checks": "通过的检查", "review": "待复核",
        "not isolated": "未隔离：仅供自查，不作为结论。", "hint": "提示", "more": "另有 {} 项",
        "likely cause": "可能原因", "none": "没有结果。", "all passed": "全部检查通过。",
        "same": "{} 项检查结果相同",
        "reviewed": "{} 处由人评分", "cut": "此处截断：完整结果见作业产物。",
        "answered": "共 {count} 题，作答 {answered} 题；{waiting} 题待人工复核",
        "flags": "标记", "reason": "原因",
        "passed": "通过", "failed": "结果错误", "timeout": "超时", "memory": "内存不足",
        "raised": "抛出异常", "crashed": "进程意外结束", "invalid": "没有可调用的函数",
        "output_limit": "输出过多", "protocol": "违反协议", "blocked": "未判定",
        "task_broken": "题目有误（我方责任）", "sandbox_down": "沙箱故障（我方责任）",
    },
}  # fmt: skip


def document(record: Json, look: Look) -> str:
    """The summary of one submission."""
    return _joined(_Page(look.lang).submission(record), look)


def documents(records: Sequence[Json], look: Look) -> str:
    """A table of all, then each submission's own summary, folded."""
    return _joined(_Page(look.lang).all_of(records), look)


def _joined(lines: Iterable[str], look: Look) -> str:
    kept: list[str] = []
    size = 0
    for line in lines:
        if not line and kept[-1:] == [""]:
            continue
        size += len(line.encode()) + 1  # bytes: hosts count either, and bytes are more
        if size > MAX_CHARS - 200:
            kept += ["", *(["</details>", ""] if kept.count("<details>") > kept.count("</details>") else [])]
            kept.append(f"_{escaped(_words(look.lang)['cut'])}_")
            break
        kept.append(line)
    return "\n".join(kept).strip("\n") + "\n"


def _words(lang: str) -> dict[str, str]:
    return _WORDS["zh" if lang == "zh" else "en"]


class _Page:
    """The lines in one language."""

    def __init__(self, lang: str) -> None:
        self._words = _words(lang)
        self._lang = lang
        self._suffix = "_zh" if lang == "zh" else ""

    def all_of(self, records: Sequence[Json]) -> Iterator[str]:
        """A table, and a folded part for each."""
        words = self._words
        if not records:
            yield escaped(words["none"])
            return
        yield from self._table(
            (words["submission"], words["score"], words["points"], words["status"], words["review"]),
            (self._overview(record) for record in records),
        )
        for record in records:
            # The heading is HTML, where no Markdown is read: an id has letters, digits and ._- alone.
            yield from ("", "<details>", f"<summary>{record['submission']['id']}</summary>", "")
            yield from self.submission(record)
            yield from ("", "</details>")

    def _overview(self, record: Json) -> tuple[str, ...]:
        score = total(record)
        points = f"{score['earned']:g} / {score['possible']:g}"
        status = escaped(self._words[record["status"]])
        return (code(record["submission"]["id"]), f"{score['percent']:g} %", points, status, str(waiting(record) or ""))

    def submission(self, record: Json) -> Iterator[str]:
        """Score, tasks, and what was wrong."""
        words, score = self._words, total(record)
        name = record["submission"]["candidate"] or record["submission"]["id"]
        yield f"### {code(name)}: {score['percent']:g} % ({score['earned']:g} / {score['possible']:g})"
        yield ""
        if record["status"] != "graded":
            yield f"**{escaped(words[record['status']])}**"
        if record["reason"]:
            yield from ("", f"{escaped(words['reason'])}: {code(record['reason'], 500)}", "")
        if not record["run"]["isolated"] and any(task["checks"] for task in record["tasks"]):
            yield from (f"> **{escaped(words['not isolated'])}**", "")
        if record.get("review", {}).get("in_effect"):
            yield from (escaped(words["reviewed"].format(record["review"]["in_effect"])), "")
        header = (words["task"], words["score"], words["points"], words["checks"])
        yield from self._table(header, map(self._task_row, record["tasks"]))
        for task in record["tasks"]:
            yield from self._task(task)

    def _task_row(self, task: Json) -> tuple[str, ...]:
        score = total(task)
        points = f"{score['earned']:g} / {score['possible']:g}"
        if task["status"] != "graded":
            return (self._title(task), f"{score['percent']:g} %", points, escaped(self._words[task["status"]]))
        passed = sum(outcome(check) == "passed" for check in task["checks"])
        checks = f"{passed} / {len(task['checks'])}" if task["checks"] else ""
        return (self._title(task), f"{score['percent']:g} %", points, checks)

    def _task(self, task: Json) -> Iterator[str]:
        words = self._words
        if task["status"] == "missing" or not (task["checks"] or task["questions"] or task["reason"]):
            return
        yield from ("", f"#### {self._title(task)}", "")
        if task["status"] == "ungraded" and task["reason"]:
            yield from (f"{escaped(words['reason'])}: {code(task['reason'], 500)}", "")
        if task["checks"]:
            rows = (
                (self._title(line), f"{total(line)['earned']:g} / {line['possible']:g}") for line in task["criteria"]
            )
            yield from self._table((words["criteria"], words["points"]), rows)
        if task["questions"]:
            yield escaped(self._answered(task))
        for cause in task["diagnosis"]:
            bug = cause[f"bug{self._suffix}"] or cause["bug"]
            yield from ("", f"{escaped(words['likely cause'])} ({cause['confidence']:.0%}): {escaped(bug)}")
        yield from self._checks(task["checks"])

    def _answered(self, task: Json) -> str:
        answered = sum(UNANSWERED not in row["flags"] and row["language"] != "none" for row in task["questions"])
        one = {"tasks": [task]}
        text = self._words["answered"].format(answered=answered, count=len(task["questions"]), waiting=waiting(one))
        raised = sorted(set(flags(one)))
        return f"{text}; {self._words['flags']}: {', '.join(raised)}" if raised else text

    def _checks(self, checks: list[Json]) -> Iterator[str]:
        wrong = [check for check in checks if outcome(check) != "passed"]
        if checks and not wrong:
            yield from ("", escaped(self._words["all passed"]))
        if wrong:
            yield ""
        groups = grouped(wrong)
        for group in groups[:_MAX_CHECKS]:
            yield from self._check(group.checks[0]) if len(group.checks) == 1 else self._alike(group)
        if len(groups) > _MAX_CHECKS:
            left = sum(len(group.checks) for group in groups[_MAX_CHECKS:])
            yield f"- {escaped(self._words['more'].format(left))}"

    def _alike(self, group: Group) -> Iterator[str]:
        """Checks that one thing cost: how they ended once, then their titles, each once."""
        score = group.score
        title = escaped(self._words["same"].format(len(group.checks)))
        yield from self._end(title, group.checks[0], f"{score['earned']:g} / {score['possible']:g}")
        titles = list(dict.fromkeys(map(self._title, group.checks)))
        more = [escaped(self._words["more"].format(len(titles) - _MAX_TITLES))] if len(titles) > _MAX_TITLES else []
        yield f"  - {'; '.join(titles[:_MAX_TITLES] + more)}"

    def _end(self, title: str, check: Json, points: str) -> Iterator[str]:
        """The line of a check, and what was expected and seen."""
        how = outcome(check)
        mark = ":warning:" if how in OURS or how == "blocked" else ":x:"
        where = f" {code(check['location'])} {code(check['exception'])}".rstrip() if check["location"] else ""
        yield f"- {mark} {title}: {escaped(self._words[how])}, {points}{where}"
        if check["message"]:
            yield f"  - {code(in_words(check['message'], self._lang), 400)}"

    def _check(self, check: Json) -> Iterator[str]:
        yield from self._end(self._title(check), check, f"{earned(check):g} / {check['possible']:g}")
        hint = check[f"hint{self._suffix}"] or check["hint"]
        if hint:
            yield f"  - {escaped(self._words['hint'])}: {escaped(hint)}"

    def _title(self, line: Json) -> str:
        return escaped(line[f"title{self._suffix}"] or line["title"])

    def _table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
        yield row(*map(escaped, header))
        yield row("---", *("---:" for _ in header[1:]))
        for cells in rows:
            yield row(*cells)
        yield ""
