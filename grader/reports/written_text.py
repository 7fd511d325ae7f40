"""The part of the summary that shows written answers: each question, its points, and the words that earned them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.model import Json
from grader.reports.look import Page
from grader.reports.review_text import human_lines, reviewed_of
from grader.reports.written_words import flag_in_words, note_in_words, reason_in_words, words_in

_QUOTE_CHARS = 160
_HUES = {"met": "green", "partial": "yellow", "contradicted": "red"}
_INDENT = " " * 28
"""Where a point's title begins, and what is said of it below."""


def written_lines(task: Json, page: Page) -> Iterator[str]:
    """What to know of the whole, then each answered question with its points."""
    questions, words = task["questions"], words_in(page.lang)
    titles = {row["id"]: (row["title_zh"] if page.lang == "zh" else "") or row["title"] for row in task["criteria"]}
    answered = [question for question in questions if not _is_empty(question)]
    yield page.paint(f"  {words['first']}", "dim")
    yield from page.wrap(_total(answered, len(questions), words), "  ")
    for label, some in (("review", _to_review(questions)), ("unanswered", filter(_is_empty, questions))):
        names = [question["id"] for question in some]
        if names:
            yield from page.wrap(f"{words[label]} ({len(names)}): {', '.join(_runs(names))}", "  ")
    for note in _notes(task["reason"]):
        yield from page.wrap(f"{words['note']}: {note_in_words(note, page.lang)}", "  ")
    for question in answered:
        yield ""
        yield from _question(question, titles.get(question["id"], ""), page, words)


def _is_empty(question: Json) -> bool:
    """True where nothing was handed in. A candidate's copy has no flags, so the language says it too."""
    return "unanswered" in question["flags"] or (question["language"] == "none" and not question["flags"])


def _to_review(questions: Iterable[Json]) -> Iterator[Json]:
    """Those that a person should look at, and has not yet."""
    return (
        question
        for question in questions
        if question["needs_review"] and not all(point.get("human") for point in question["points"])
    )


def _total(answered: list[Json], count: int, words: dict[str, str]) -> str:
    """How many are answered, and what share of their points that earned: a total over all says less."""
    possible = sum(question["score"]["possible"] for question in answered)
    earned = sum(question["score"]["earned"] for question in answered)
    share = 100 * earned / possible if possible else 0.0
    return words["total"].format(answered=len(answered), count=count, share=f"{round(share, 1):g}")


def _runs(names: list[str]) -> list[str]:
    """The names in order, three or more that follow each other as one: q01, q04-q09."""
    runs: list[list[str]] = []
    for name in names:
        if runs and name[1:].isdecimal() and int(name[1:]) == int(runs[-1][-1][1:]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return [part for run in runs for part in (run if len(run) < 3 else [f"{run[0]}-{run[-1]}"])]


def _notes(reason: str) -> list[str]:
    """What intake noted. The list of unanswered questions before it is shown from the questions themselves."""
    first, _, rest = reason.partition("; ")
    text = rest if first.startswith("unanswered: ") else reason
    return [text] if text else []


def _question(question: Json, title: str, page: Page, words: dict[str, str]) -> Iterator[str]:
    score = question["score"]
    language = words.get(f"language {question['language']}", question["language"])
    second = reviewed_of(question, score["earned"], page)
    yield page.paint(f"  {question['id']}  {_points(score)}  ({language}){second}", "bold")
    yield from page.wrap(title, "    ")
    for flag in question["flags"]:
        done = all(point.get("human") for point in question["points"])
        mark = words["done" if done else "review"] if question["needs_review"] else words["note"]
        for line in page.wrap(f"! {mark}: {flag_in_words(flag, page.lang)}", "    "):
            yield page.paint(line, "yellow")
    if question["llm"]:
        share = f"{question['llm']['share']:.0%}"
        yield from page.wrap(f"{words['model']} {question['llm']['model']}: {share}", "    ")
    for point in question["points"]:
        yield from _point(point, page, words)


def _points(score: Json) -> str:
    return f"{score['earned']:g} / {score['possible']:g}"


def _point(point: Json, page: Page, words: dict[str, str]) -> Iterator[str]:
    """The verdict, the points and the title in columns; below them the passage and, where points are missing, why."""
    title = (point["title_zh"] if page.lang == "zh" else "") or point["title"]
    verdict = words.get(point["verdict"], "")
    padded = verdict + " " * max(9 - page.columns(verdict), 0)
    points = f"{point['earned']:5.2f} / {point['possible']:<5.2f}"
    lines = [*page.wrap(title, _INDENT)] or [_INDENT]
    yield f"    {page.paint(padded, _HUES.get(point['verdict'], 'dim'))} {points} {lines[0].removeprefix(_INDENT)}"
    yield from lines[1:]
    yield from human_lines(point, page, _INDENT)
    for row in point["evidence"][:1]:
        yield from page.wrap(f"“{_shortened(row['quote'])}”", _INDENT)
    if point["verdict"] != "met" and point["rationale"] and point["evidence"]:
        yield from page.wrap(reason_in_words(point["rationale"], page.lang), _INDENT)
    if point["llm"]:
        yield from page.wrap(_second(point["llm"], words), _INDENT)


def _shortened(quote: str) -> str:
    line = " ".join(quote.split())
    return line if len(line) <= _QUOTE_CHARS else line[: _QUOTE_CHARS - 1] + "…"


def _second(opinion: Json, words: dict[str, str]) -> str:
    """The language model's word on a point, in one line."""
    if opinion["error"]:
        return f"{words['no model']}: {opinion['error']}"
    return f"{words['model']}: {words.get(opinion['verdict'], opinion['verdict'])}. {opinion['reason']}"
