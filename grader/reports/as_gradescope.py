"""results.json as Gradescope's autograder reads it: one for each submission.

Field names, visibility levels and formats are those of its autograder specification, "Output format". Every text is
declared plain (`text`), so that nothing of a candidate is taken for HTML, Markdown or terminal colours.

Students see what is `visible`. In an interviewer's file hidden checks are `hidden`: staff see them alone. But the
platform hands earlier results to a student's next run, so a file that students' code may reach should be a
candidate's copy; there nothing is hidden, because nothing in it has to be. What we failed to grade has no score at all:
the platform then says that the autograder failed, instead of a zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from grader.model import Json
from grader.reports.as_json import dumps
from grader.reports.effective import earned, outcome, total
from grader.reports.look import Look, Stored
from grader.text import sanitize_line, sanitize_text

FILE = "results.json"
_MAX_TEXT = 8192
_WORDS = {
    "en": {
        "score": "{earned:g} of {possible:g} points ({percent:g} %)", "not isolated": "not isolated: not a verdict",
        "raised at": "raised at", "hint": "hint", "likely cause": "likely cause", "ask": "ask", "printed": "printed",
        "rejected": "the submission was refused", "ungraded": "not graded, for a reason of ours: no verdict",
        "missing": "nothing was handed in", "review": "a person will look at this answer", "diagnosis": "Likely slips",
    },
    "zh": {
        "score": "{earned:g} / {possible:g} 分（{percent:g} %）", "not isolated": "未隔离：不作为结论",
        "raised at": "抛出位置", "hint": "提示", "likely cause": "可能原因", "ask": "可追问", "printed": "输出",
        "rejected": "提交被拒收", "ungraded": "因我方原因未评分，不作为结论",
        "missing": "未提交", "review": "该回答将由人工复核", "diagnosis": "可能的疏漏",
    },
}  # fmt: skip


def document(record: Json, look: Look) -> str:
    """The results.json of one submission."""
    return dumps(_results(record, look))


def files(results: Sequence[Stored], look: Look) -> Mapping[str, str]:
    """`<id>/results.json` for each submission."""
    return {f"{row.record['submission']['id']}/{FILE}": document(row.record, look) for row in results}


def _results(record: Json, look: Look) -> Json:
    words = _WORDS["zh" if look.lang == "zh" else "en"]
    score, run = total(record), record["run"]
    tests = list(_tests(record, look.lang, words))
    results: Json = {
        "output": _output(record, words),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {
            "grader": record["grader"]["version"],
            "run": run["id"],
            "sha256": record["submission"]["sha256"],
            "status": record["status"],
            "isolated": run["isolated"],
        },
    }
    if run["duration_s"] is not None:
        results["execution_time"] = round(run["duration_s"])
    if record["status"] == "ungraded":
        results["tests"] = [_without_score(row) for row in tests]
        return results
    results["score"] = score["earned"]
    if look.leaderboard:
        results["leaderboard"] = [{"name": "Score", "value": score["percent"], "order": "desc"}]
    return results


def _without_score(row: Json) -> Json:
    return {name: value for name, value in row.items() if name not in ("score", "max_score", "status")}


def _output(record: Json, words: dict[str, str]) -> str:
    """What stands above the tests: students read it, so it has nothing that a candidate's copy lacks."""
    lines = [words["score"].format(**total(record))]
    if record["status"] != "graded":
        lines.append(words[record["status"]])
    if record["status"] == "rejected":
        lines.append(record["reason"])
    if not record["run"]["isolated"] and any(task["checks"] for task in record["tasks"]):
        lines.append(words["not isolated"])
    return _text("\n".join(lines))


def _tests(record: Json, lang: str, words: dict[str, str]) -> Iterator[Json]:
    staff_only = "visible" if record["audience"] == "candidate" else "hidden"
    if not record["tasks"]:  # refused before any task was looked at; `output` says why
        score = total(record)
        row = _test(record["submission"]["id"], score["earned"], score["possible"], "visible")
        yield row | {"output": words[record["status"]], "status": "failed", "tags": [], "number": "1"}
    for number, task in enumerate(record["tasks"], start=1):
        rows = list(_of_task(task, lang, words, staff_only)) or [_whole(task, lang, words)]
        for place, row in enumerate(rows, start=1):
            yield row | {"number": f"{number}.{place}"}


def _of_task(task: Json, lang: str, words: dict[str, str], staff_only: str) -> Iterator[Json]:
    name = _in(task, "title", lang)
    for check in task["checks"]:
        visibility = "visible" if check["visibility"] == "public" else staff_only
        passed = outcome(check) == "passed"
        row = _test(f"{name}: {_in(check, 'title', lang)}", earned(check), check["possible"], visibility)
        row["output"] = "" if passed else _text(_about(check, lang, words))
        yield row | {"status": "passed" if passed else "failed", "tags": [task["task"], _line(check["criterion"])]}
    for question in task["questions"]:
        score = total(question)
        row = _test(f"{name}: {question['id']}", score["earned"], score["possible"], "visible")
        # No status: a share of the points is a score; the platform then shows neither tick nor cross.
        yield row | {"output": words["review"] if question["needs_review"] else "", "tags": [task["task"]]}
    if task["diagnosis"]:
        yield {
            "name": _line(f"{name}: {words['diagnosis']}"),
            "output": _text("\n".join(_slips(task["diagnosis"], lang, words))),
            "visibility": staff_only,
            "tags": [task["task"]],
        }


def _whole(task: Json, lang: str, words: dict[str, str]) -> Json:
    """The one row of a task without checks: nothing was handed in, or we could not grade it."""
    score = total(task)
    row = _test(_in(task, "title", lang), score["earned"], score["possible"], "visible")
    return row | {"output": words.get(task["status"], ""), "status": "failed", "tags": [task["task"]]}


def _test(name: str, score: float, possible: float, visibility: str) -> Json:
    return {"name": _line(name), "score": score, "max_score": possible, "visibility": visibility}


def _about(check: Json, lang: str, words: dict[str, str]) -> str:
    lines = [check["message"]]
    if check["location"]:
        lines.append(f"{words['raised at']} {check['location']}  {check['exception']}".rstrip())
    if hint := _in(check, "hint", lang):
        lines.append(f"{words['hint']}: {hint}")
    if check["output"]:
        lines += [f"{words['printed']}:", check["output"]]
    return "\n".join(filter(None, lines))


def _slips(rows: list[Json], lang: str, words: dict[str, str]) -> Iterator[str]:
    for row in rows:
        yield f"{words['likely cause']} ({row['confidence']:.0%}): {_in(row, 'bug', lang)}"
        if row["evidence"]:
            yield f"    {row['evidence']}"
        if row["question"]:
            yield f"    {words['ask']}: {_in(row, 'question', lang)}"


def _in(row: Json, name: str, lang: str) -> str:
    text: str = (row[f"{name}_zh"] if lang == "zh" else "") or row[name]
    return text


def _line(text: str) -> str:
    return sanitize_line(text, 300)


def _text(text: str) -> str:
    return sanitize_text(text, _MAX_TEXT)
