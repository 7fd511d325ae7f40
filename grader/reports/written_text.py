"""The part of the summary that shows written answers: each question, its points, and the words that earned them."""

from __future__ import annotations

from collections.abc import Iterator

from grader.model import Json
from grader.reports.look import Page
from grader.reports.review_text import human_lines, reviewed_of

_QUOTE_CHARS = 160
_MARKS = {"met": "+", "partial": "~", "contradicted": "x", "unmet": "-", "": " "}
_HUES = {"met": "green", "partial": "yellow", "contradicted": "red"}
_WORDS = {
    "en": {
        "unanswered": "unanswered",
        "review": "needs review",
        "done": "reviewed",
        "first": "machine score; a person has the last word",
    },
    "zh": {"unanswered": "未作答", "review": "需人工复核", "done": "已复核", "first": "机器初评，最终由人裁定"},
}
FLAGS_ZH = {
    "non_answer": "未实质作答", "not_text": "不是文本", "copied_question": "照抄题目", "stuffed": "堆砌关键词", "repetition": "重复内容",
    "other_question": "答的是另一题", "injection": "含有对评分者的指令", "too_long": "超长，仅读前一部分", "markup": "含 HTML 标记",
    "unsupported_language": "非中英文", "answered_twice": "同一题作答两次", "negated": "通篇否定", "misconception": "含有误解", "middle_band": "分数居中，机器把握不大",
    "unanswered": "未作答", "llm_disagrees": "与语言模型结论不一致", "llm_failed": "语言模型未给出结论", "llm_unsure": "语言模型把握不大",
}  # fmt: skip
LLM_ZH = {"met": "满足", "partial": "部分满足", "unmet": "未满足", "cannot_assess": "无法判断"}


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
    second = reviewed_of(question, score["earned"], page)
    yield page.paint(
        f"  {question['id']} [{question['language']}]  {score['earned']:g} / {score['possible']:g}{second}", "bold"
    )
    if question["needs_review"]:
        flags = ", ".join(
            FLAGS_ZH.get(flag, flag) if page.lang == "zh" else flag.replace("_", " ") for flag in question["flags"]
        )
        done = all(point.get("human") for point in question["points"])
        yield page.paint(f"    {words['done' if done else 'review']}: {flags}", "dim" if done else "yellow")
    for point in question["points"]:
        yield from _point(point, page)


def _second(opinion: Json, page: Page) -> str:
    """The language model's word on a point, in one line."""
    zh = page.lang == "zh"
    if opinion["error"]:
        return f"{'语言模型无结论' if zh else 'no opinion of the language model'}: {opinion['error']}"
    verdict = LLM_ZH[opinion["verdict"]] if zh else opinion["verdict"].replace("_", " ")
    return f"{'语言模型' if zh else 'language model'}: {verdict}. {opinion['reason']}"


def _point(point: Json, page: Page) -> Iterator[str]:
    title = (point["title_zh"] if page.lang == "zh" else "") or point["title"]
    mark = page.paint(_MARKS[point["verdict"]], _HUES.get(point["verdict"], "dim"))
    yield f"    {mark} {title}  {point['earned']:g} / {point['possible']:g}"
    yield from human_lines(point, page, "        ")
    if point["verdict"] in ("partial", "contradicted") and point["rationale"]:
        yield from page.wrap(point["rationale"], "        ")
    if point["llm"]:
        yield from page.wrap(_second(point["llm"], page), "        ")
    for row in point["evidence"][:1]:
        quote = " ".join(row["quote"].split())
        shown = quote if len(quote) <= _QUOTE_CHARS else quote[: _QUOTE_CHARS - 1] + "…"
        yield from page.wrap(f"“{shown}”", "        ")
