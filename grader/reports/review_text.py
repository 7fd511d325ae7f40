"""The lines of the summary that say what people decided, beside what the machine gave."""

from __future__ import annotations

from collections.abc import Iterator

from grader.model import Json
from grader.reports.look import Page

_MAX_ASIDE = 5
"""All of them are in the record: a submission handed in again sets a whole review aside."""
_WORDS = {
    "en": {
        "reviewed": "reviewed", "human": "human", "set aside": "human points not counted", "more": "and {} more",
        "in_effect": "{} given by a person; the machine's scores stay beside it",
    },
    "zh": {
        "reviewed": "复核后", "human": "人工", "set aside": "未计入的人工评分", "more": "另有 {} 处",
        "in_effect": "{} 处由人评分，机器评分并列保留",
    },
}  # fmt: skip


def _words(page: Page) -> dict[str, str]:
    return _WORDS["zh" if page.lang == "zh" else "en"]


def summary_lines(record: Json, page: Page) -> Iterator[str]:
    """The whole score after the review, and what of the review does not count."""
    review, words = record.get("review"), _words(page)
    if not review:
        return
    if review["in_effect"]:
        score = record["reviewed_score"]
        total = f"{score['earned']:g} / {score['possible']:g} ({score['percent']:g} %)"
        how = words["in_effect"].format(review["in_effect"])
        yield page.paint(f"  {words['reviewed']}: {total}  ({how})", "bold")
    aside = review["set_aside"]
    for line in aside[:_MAX_ASIDE]:
        yield from page.wrap(f"{words['set aside']}: {line}", "  ")
    if len(aside) > _MAX_ASIDE:
        yield from page.wrap(words["more"].format(len(aside) - _MAX_ASIDE), "    ")


def reviewed_of(row: Json, earned: float, page: Page) -> str:
    """To put behind a machine's score: the one after the review, where it differs."""
    score = row.get("reviewed_score")
    if not score or score["earned"] == earned:
        return ""
    return f"  {_words(page)['reviewed']}: {score['earned']:g} / {score['possible']:g}"


def human_lines(row: Json, page: Page, indent: str) -> Iterator[str]:
    """A person's points at a point or check; with reason, name and day where the record has them."""
    human = row.get("human")
    if not human:
        return
    points = f"{_words(page)['human']}: {human['points']:g} / {row['possible']:g}"
    who = f" ({human['reviewer']}, {human['at'][:10]})" if human["reviewer"] else ""
    yield from page.wrap(f"{points}  {human['reason']}{who}".rstrip(), indent)
