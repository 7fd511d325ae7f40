"""The part of the summary that shows written answers: each question, its points, and the words that earned them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from grader.model import Json

_QUOTE_CHARS = 160
_MARKS = {"met": "+", "partial": "~", "contradicted": "x", "unmet": "-", "": " "}
_HUES = {"met": "green", "partial": "yellow", "contradicted": "red"}
_WORDS = {
    "en": {"unanswered": "unanswered", "review": "needs review", "first": "machine score; a person has the last word"},
    "zh": {"unanswered": "未作答", "review": "需人工复核", "first": "机器初评，最终由人裁定"},
}
FLAGS_ZH = {
    "non_answer": "未实质作答", "not_text": "不是文本", "copied_question": "照抄题目", "stuffed": "堆砌关键词", "repetition": "重复内容",
    "other_question": "答的是另一题", "injection": "含有对评分者的指令", "too_long": "超长，仅读前一部分", "markup": "含 HTML 标记",
    "unsupported_language": "非中英文", "answered_twice": "同一题作答两次", "negated": "通篇否定", "misconception": "含有误解", "middle_band": "分数居中，机器把握不大",
    "unanswered": "未作答",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What the page offers: its language, its colours, its lines."""

    lang: str
    paint: Callable[[str, str], str]
    wrap: Callable[[str, str], Iterable[str]]


def written_lines(questions: list[Json], page: Page) -> Iterator[str]:
    """Each answered question with its points; the others in one line at the end."""
    words = _WORDS["zh" if page.lang == "zh" else "en"]
    yield page.paint(f"  {words['first']}", "dim")
    empty = [question["id"] for question in questions if "unanswered" in question["flags"]]
    for question in questions:
        if question["id"] not in empty:
            yield from _question(question, page, words)
    if empty:
        yield from page.wrap(f"{words['unanswered']}: {', '.join(empty)}", "  ")


def _question(question: Json, page: Page, words: dict[str, str]) -> Iterator[str]:
    score = question["score"]
    yield page.paint(
        f"  {question['id']} [{question['language']}]  {score['earned']:g} / {score['possible']:g}", "bold"
    )
    if question["needs_review"]:
        flags = ", ".join(
            FLAGS_ZH.get(flag, flag) if page.lang == "zh" else flag.replace("_", " ") for flag in question["flags"]
        )
        yield page.paint(f"    {words['review']}: {flags}", "yellow")
    for point in question["points"]:
        yield from _point(point, page)


def _point(point: Json, page: Page) -> Iterator[str]:
    title = (point["title_zh"] if page.lang == "zh" else "") or point["title"]
    mark = page.paint(_MARKS[point["verdict"]], _HUES.get(point["verdict"], "dim"))
    yield f"    {mark} {title}  {point['earned']:g} / {point['possible']:g}"
    if point["verdict"] in ("partial", "contradicted") and point["rationale"]:
        yield from page.wrap(point["rationale"], "        ")
    for row in point["evidence"][:1]:
        quote = " ".join(row["quote"].split())
        shown = quote if len(quote) <= _QUOTE_CHARS else quote[: _QUOTE_CHARS - 1] + "…"
        yield from page.wrap(f"“{shown}”", "        ")
