"""What a page shows of an item: plain values for a template, which only escapes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from grader.model import Json, Text
from grader.reports.as_text import outcome_in_words
from grader.reports.passages import Piece, pieces_of, spans_of
from grader.reports.reviewed import Place, place_of
from grader.reports.written_words import FLAGS, flag_in_words, reason_in_words, words_in
from grader.review.table import number
from grader.review.web.items import Item, disagrees, doubtful
from grader.review.web.rubrics import Rubrics
from grader.review.web.saving import counts_of
from grader.review.web.words import words_of
from grader.text import sanitize_line

_TONES = {"met": "good", "passed": "good", "partial": "middle", "blocked": "none", "cannot_assess": "none"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one grader says of a point."""

    word: str
    tone: str
    """good, middle, bad or none."""
    text: str
    quotes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One place: a point of a rubric, or a check."""

    number: int
    place: Place
    title: str
    earned: float
    possible: float
    offline: Verdict
    model: Verdict | None
    human: Json | None
    history: tuple[Json, ...]
    seen: int
    """How many entries it has now."""
    differs: bool = False
    sentence: str = ""
    """What alone earns the point."""
    why: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    """Of a check: label and text."""

    @property
    def choices(self) -> tuple[float, float, float]:
        """None, half and all of the points, in hundredths."""
        return 0.0, round(self.possible / 2, 2), self.possible


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One item in one language."""

    item: Item
    heading: str
    question: str
    reasons: tuple[str, ...]
    rows: tuple[Row, ...]
    pieces: tuple[Piece, ...] = ()
    language: str = ""
    changed: bool = False
    corrections: tuple[str, ...] = ()
    diagnosis: tuple[tuple[str, str], ...] = ()
    """Likely cause, and what to ask."""
    aside: tuple[str, ...] = ()
    """Points that people gave for something else, which do not count."""

    @property
    def state(self) -> str:
        """How many entries each row has, as the form sends it back."""
        return ",".join(str(row.seen) for row in self.rows)


def heading_of(item: Item, lang: str) -> str:
    """The question or criterion in a few words."""
    row = item.criterion
    return str((row["title_zh"] if lang == "zh" else "") or row["title"] or item.name)


def reasons_of(item: Item, lang: str) -> tuple[str, ...]:
    """Why a person should look, in words."""
    words = words_of(lang)
    return tuple(
        words.get(row, "") or (flag_in_words(row, lang) if row in FLAGS else outcome_in_words(row, lang))
        for row in item.reasons
    )


def sheet_of(item: Item, rubrics: Rubrics, lang: str) -> Sheet:
    """Everything that a reviewer needs for one decision."""
    question = item.question
    known = rubrics.of(item.task)
    rubric = known.questions.get(item.name) if known else None
    sentences = {point.id: (point.model, point.why) for point in rubric.points} if rubric else {}
    return Sheet(
        item=item,
        heading=heading_of(item, lang),
        question=rubric.question.in_language(lang) if rubric else "",
        reasons=reasons_of(item, lang),
        rows=tuple(_rows(item, sentences, lang)),
        pieces=tuple(pieces_of(question["answer"], spans_of(question))) if question and question["answer"] else (),
        language=words_in(lang).get(f"language {question['language']}", "") if question else "",
        changed=bool(rubric and known and known.sha256 != item.task["sha256"]),
        corrections=tuple(f"{row.source} → {row.right}" for row in rubric.corrections) if rubric else (),
        diagnosis=tuple(_diagnosis(item, lang)) if question is None else (),
        aside=tuple(_aside(item)),
    )


def _rows(item: Item, sentences: dict[str, tuple[Text, Text]], lang: str) -> Iterator[Row]:
    counts = counts_of(item)
    for index, (place, row) in enumerate(item.rows.items(), start=1):
        sentence, why = sentences.get(place.item, (Text(en=""), Text(en="")))
        yield Row(
            number=index,
            place=place,
            title=(row["title_zh"] if lang == "zh" else "") or row["title"] or place.item,
            earned=row["earned"],
            possible=row["possible"],
            offline=_offline(row, lang) if item.question else _outcome(row, lang),
            model=_model(row, lang) if item.question else None,
            human=row.get("human"),
            history=tuple(entry for entry in item.result.review["overrides"] if place_of(entry) == place),
            seen=counts[place],
            differs=bool(item.question) and disagrees(row),
            sentence=sentence.in_language(lang),
            why=why.in_language(lang),
            facts=() if item.question else tuple(_facts(row, lang)),
        )


def _offline(point: Json, lang: str) -> Verdict:
    words = words_of(lang)
    notes = [words["confidence"].format(f"{point['confidence']:.0%}")] if point["confidence"] else []
    return Verdict(
        word=_word(point["verdict"], lang),
        tone=_TONES.get(point["verdict"], "bad"),
        text=reason_in_words(point["rationale"], lang),
        quotes=tuple(row["quote"] for row in point["evidence"]),
        notes=(*notes, *([words["low"]] if doubtful(point) else [])),
    )


def _model(point: Json, lang: str) -> Verdict | None:
    opinion, words = point["llm"], words_of(lang)
    if not opinion:
        return None
    if opinion["error"]:
        return Verdict(word=words["no opinion"].format(opinion["error"]), tone="none", text="")
    samples = opinion["samples"]
    notes = [words["agreement"].format(round(opinion["agreement"] * samples), samples)] if samples > 1 else []
    return Verdict(
        word=_word(opinion["verdict"], lang),
        tone=_TONES.get(opinion["verdict"], "bad"),
        text=opinion["reason"],
        quotes=tuple(row["quote"] for row in opinion["evidence"]),
        notes=(*notes, *(words.get(flag, flag) for flag in opinion["flags"])),
    )


def _word(verdict: str, lang: str) -> str:
    return words_in(lang).get(verdict, verdict)


def _outcome(check: Json, lang: str) -> Verdict:
    outcome = check["outcome"]
    partial = outcome != "passed" and check["earned"] > 0
    return Verdict(
        word=outcome_in_words(outcome, lang), tone="middle" if partial else _TONES.get(outcome, "bad"), text=""
    )


def _facts(check: Json, lang: str) -> Iterator[tuple[str, str]]:
    """What is known of a check, longest last."""
    hint = (check["hint_zh"] if lang == "zh" else "") or check["hint"]
    where = " ".join(filter(None, (check["exception"], check["location"])))
    rows = (("expected", check["message"]), ("raised at", where), ("hint", hint), ("printed", check["output"]))
    return ((words_of(lang)[label], text) for label, text in rows if text)


def _diagnosis(item: Item, lang: str) -> Iterator[tuple[str, str]]:
    suffix = "_zh" if lang == "zh" else ""
    for row in item.task["diagnosis"]:
        bug = row[f"bug{suffix}"] or row["bug"]
        evidence = f" ({row['evidence']})" if row["evidence"] else ""
        yield f"{row['confidence']:.0%} {bug}{evidence}", row[f"question{suffix}"] or row["question"]


def _aside(item: Item) -> Iterable[str]:
    names = {f"{place}: " for place in item.rows}
    for line in item.result.view.get("review", {}).get("set_aside", ()):
        if any(line.startswith(name) for name in names):
            yield line


def said(row: Json, place: Place, points: float) -> str:
    """A decision in a few words, for a message."""
    return sanitize_line(f"{row['title'] or place.item}: {number(points)} / {number(row['possible'])}", 120)
