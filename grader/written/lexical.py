"""Features of an answer where there is no rubric: its points are the clauses of the reference answers.

Everything compares words; nothing here sees the score. Rarity (IDF) is counted over all texts of the file,
without labels. Words of the question count a tenth: to repeat them shows nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from grader.written import lexicon
from grader.written.negation import negators
from grader.written.tokens import Document, Token, read

_QUESTION_WORD = 0.1
FEATURES = (
    "idf_recall", "idf_precision", "idf_f1", "recall", "points_met", "points_mean", "char_cosine", "word_cosine",
    "length", "length_ratio",
    "novelty", "negation_gap", "polarity", "bigram_recall", "numbers",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One answer to be scored, with what it is compared to."""

    question: str
    references: tuple[str, ...]
    answer: str


@dataclass(frozen=True, slots=True)
class _Text:
    """A text as counted units."""

    document: Document
    words: frozenset[str]
    pairs: frozenset[str]
    chars: Mapping[str, int]
    clauses: tuple[frozenset[str], ...]
    negations: int


def features(items: Sequence[Item]) -> NDArray[np.float64]:
    """One row for each item, one column for each name of `FEATURES`."""
    texts = {text: _text(text) for item in items for text in (item.question, item.answer, *item.references)}
    rarity = _rarity(texts.values())
    return np.array([_row(item, texts, rarity) for item in items])


def _row(item: Item, texts: Mapping[str, _Text], rarity: Mapping[str, float]) -> list[float]:
    """The row of the reference that the answer resembles most."""
    question, answer = texts[item.question], texts[item.answer]
    rows = [_compare(question, texts[reference], answer, rarity) for reference in item.references]
    best = max(rows, key=lambda row: (row[0] + row[2], row))
    pooled = frozenset().union(*(texts[reference].words for reference in item.references)) if len(rows) > 1 else None
    if pooled:
        best[1] = max(
            best[1],
            _weight(answer.words & pooled, question, rarity) / max(_weight(answer.words, question, rarity), 1e-9),
        )
    return best


def _compare(question: _Text, reference: _Text, answer: _Text, rarity: Mapping[str, float]) -> list[float]:
    both = reference.words & answer.words
    wanted, given = _weight(reference.words, question, rarity), _weight(answer.words, question, rarity)
    shared = _weight(both, question, rarity)
    recall = shared / wanted if wanted else 0.0
    precision = shared / given if given else 0.0
    points = [
        _weight(clause & answer.words, question, rarity) / weight
        for clause in reference.clauses
        if (weight := _weight(clause, question, rarity)) > 0.5
    ]
    size = len(answer.document.tokens)
    return [
        recall,
        precision,
        2 * recall * precision / (recall + precision) if recall + precision else 0.0,
        len(both) / len(reference.words) if reference.words else 0.0,
        float(np.mean([share >= 0.5 for share in points])) if points else recall,
        float(np.mean(points)) if points else recall,
        _cosine(reference.chars, answer.chars),
        len(both) / (len(reference.words) * len(answer.words)) ** 0.5 if reference.words and answer.words else 0.0,
        log(1 + size),
        min(size / max(len(reference.document.tokens), 1), 4.0),
        len(answer.words - question.words) / len(answer.words) if answer.words else 0.0,
        float(min(abs(reference.negations - answer.negations), 3)),
        float(_opposed(reference, answer)),
        len(reference.pairs & answer.pairs) / len(reference.pairs) if reference.pairs else recall,
        _numbers(reference, answer),
    ]


def _weight(units: frozenset[str], question: _Text, rarity: Mapping[str, float]) -> float:
    return sum(rarity.get(unit, 1.0) * (_QUESTION_WORD if unit in question.words else 1.0) for unit in sorted(units))


def _text(text: str) -> _Text:
    document = read(text)
    clauses: dict[int, list[Token]] = {}
    for token in document.tokens:
        clauses.setdefault(token.clause, []).append(token)
    words = _words(document.tokens)
    keys = [token.key for token in document.tokens if token.text not in lexicon.FUNCTION_EN]
    folded = document.folded.text
    return _Text(
        document=document,
        words=words,
        pairs=frozenset(f"{one} {two}" for one, two in pairwise(keys)),
        chars=Counter(folded[index : index + 3] for index in range(len(folded) - 2)),
        clauses=tuple(_words(tokens) for tokens in clauses.values()),
        negations=len(negators(document)),
    )


def _words(tokens: Sequence[Token]) -> frozenset[str]:
    """Stems of content words; characters and pairs of characters for Chinese."""
    found = set()
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.is_cjk:
            if token.text not in lexicon.FUNCTION_ZH:
                found.add(token.text)
            if before is not None and before.is_cjk and before.end == token.start:
                found.add(before.text + token.text)
        elif token.text not in lexicon.FUNCTION_EN:
            found.add(token.key)
    return frozenset(found)


def _rarity(texts: Iterable[_Text]) -> dict[str, float]:
    """Smoothed inverse document frequency; a single Chinese character counts half as much as a pair."""
    listed = list(texts)
    counts = Counter(word for text in listed for word in text.words)
    size = len(listed)
    return {
        word: log(1 + size / count) * (0.5 if len(word) == 1 and word > "\u3400" else 1.0)
        for word, count in counts.items()
    }


def _cosine(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    dot = sum(count * other[gram] for gram, count in one.items() if gram in other)
    norm = (sum(count * count for count in one.values()) * sum(count * count for count in other.values())) ** 0.5
    return dot / norm if norm else 0.0


_OPPOSITE = {one: other for pair in lexicon.ANTONYMS for one, other in (pair, pair[::-1])}


def _opposed(reference: _Text, answer: _Text) -> int:
    """How many words of the reference stand in the answer only as their opposite."""
    one, other = reference.document.folded.text, answer.document.folded.text
    return min(
        sum(
            word in one and opposite in other and word not in other and opposite not in one
            for word, opposite in _OPPOSITE.items()
        ),
        3,
    )


def _numbers(reference: _Text, answer: _Text) -> float:
    """The share of the reference's numbers that the answer has; 1 where it has none."""
    wanted = {token.key for token in reference.document.tokens if token.text[0].isdigit()}
    mine = {token.key for token in answer.document.tokens if token.text[0].isdigit()}
    return len(wanted & mine) / len(wanted) if wanted else 1.0


def likeness(answers: Sequence[str]) -> Callable[[int, int], float]:
    """A function of two places in `answers`: the cosine of their rare words, in [0, 1]."""
    texts = [_text(answer) for answer in answers]
    rarity = _rarity(texts)
    sizes = [sum(rarity[word] for word in sorted(text.words)) for text in texts]

    def similar(one: int, other: int) -> float:
        shared = sum(rarity[word] for word in sorted(texts[one].words & texts[other].words))
        norm = float((sizes[one] * sizes[other]) ** 0.5)
        return shared / norm if norm else 0.0

    return similar
