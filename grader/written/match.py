"""Finds what an answer says to one point: which groups, how close together, denied or not, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from grader.written.aliases import Hit, find_any
from grader.written.compiled import AliasGroups, CompiledContradiction, CompiledPoint
from grader.written.negation import denied, disclaimed, goes_on, hedged, near_denial, own_negators, unconditional
from grader.written.similarity import recall, units
from grader.written.tokens import Document

_WARNING = frozenset("myth misconception mistake mistaken mistakenly wrongly incorrectly fallacy".split())
_WRONG = frozenset("wrong incorrect false".split())
_WRONG_WHAT = frozenset("to that because idea belief claim view assumption statement and or as since if when".split())
"""After "wrong": "it is wrong to say" warns, "wrong labels" only names a thing."""
_WARNING_ZH = ("误区", "误解", "错误地", "是错误的", "是错的", "不正确", "不对", "误以为")


class State(StrEnum):
    """How much of a point's groups an answer holds; `calibration` gives each its credit."""

    MET = "met"
    """All that are needed, within two neighbouring sentences, none denied."""
    SCATTERED = "scattered"
    """All that are needed, but far apart."""
    MOST = "most"
    """At least two thirds of them."""
    HALF = "half"
    FEW = "few"
    NONE = "none"
    CONTRADICTED = "contradicted"
    """Said, and denied or turned into its opposite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one point's matching gave. `span` holds token numbers (start, end), empty where nothing was found."""

    state: State
    share: float
    """Groups found of those needed, at most 1."""
    similarity: float
    """The best share of a model sentence's words in two neighbouring sentences."""
    span: tuple[int, int] = (0, 0)
    near_denial: bool = False
    """True where a sentence of the span holds a negation that is no part of an alias."""
    words: tuple[str, ...] = ()
    """The aliases that were found, one for each group."""
    misconceptions: tuple[tuple[CompiledContradiction, tuple[int, int]], ...] = ()


@dataclass(frozen=True, slots=True)
class _Window:
    """The hits of each group in one window; `sound` are not denied."""

    sound: tuple[Hit | None, ...]
    unsound: tuple[Hit | None, ...]

    @property
    def count(self) -> int:
        return sum(hit is not None for hit in self.sound)


def match_point(point: CompiledPoint, document: Document, negating: frozenset[int], known: frozenset[str]) -> Found:
    """What `document` says to `point`. `known`: content units of the question, which earn nothing."""
    hits = [find_any(group, document) for group in point.groups]
    opposite = [find_any(group, document) for group in point.opposites]
    consumed = own_negators((hit for group in hits for hit in group), negating)
    bad = _denied_clauses(hits, document, negating, consumed)
    windows = _windows(hits, opposite, document, bad, anywhere=point.point.anywhere)
    similarity = _similarity(point, document, known)
    misconceptions = tuple(_misconceptions(point, document, negating))
    needed = point.point.needed
    if not windows:
        return Found(state=State.NONE, share=0.0, similarity=similarity, misconceptions=misconceptions)
    best = max(windows, key=lambda window: (window.count, -_width(window.sound)))
    everywhere = sum(any(document.tokens[hit.start].clause not in bad for hit in group) for group in hits)
    state = _state(best.count, everywhere, needed)
    turned = max(windows, key=lambda window: sum(hit is not None for hit in window.unsound))
    if state is not State.MET and _is_contradicted(turned, needed):
        state, best = (
            State.CONTRADICTED,
            _Window(tuple(one or two for one, two in zip(turned.sound, turned.unsound, strict=True)), ()),
        )
    return Found(
        state=state,
        share=min(best.count / needed, 1.0),
        similarity=similarity,
        span=_span(best.sound),
        near_denial=near_denial(_span(best.sound), document, unconditional(document, negating - consumed)),
        words=tuple(hit.alias.source.lstrip("=") for hit in best.sound if hit is not None),
        misconceptions=misconceptions,
    )


def _denied_clauses(
    hits: list[list[Hit]], document: Document, negating: frozenset[int], consumed: frozenset[int]
) -> frozenset[int]:
    """The clauses whose hits, all groups together, are denied."""
    by_clause: dict[int, list[Hit]] = {}
    groups: dict[int, set[int]] = {}
    for number, group in enumerate(hits):
        for hit in group:
            clause = document.tokens[hit.start].clause
            by_clause.setdefault(clause, []).append(hit)
            groups.setdefault(clause, set()).add(number)
    whole = disclaimed(document) if negating else frozenset[int]()
    return frozenset(
        clause
        for clause, group in by_clause.items()
        if clause in whole
        or (
            denied(group, document, negating, consumed)
            # "X does not A, it B": what is denied is A, and only X stands here
            and not (len(hits) > len(groups[clause]) == 1 and goes_on(document, clause))
        )
    )


def _windows(
    hits: list[list[Hit]], opposite: list[list[Hit]], document: Document, bad: frozenset[int], *, anywhere: bool
) -> list[_Window]:
    """One window for each sentence with a hit and the one after it; a single one where groups may be anywhere."""
    tokens = document.tokens
    starts = {0} if anywhere else {tokens[hit.start].sentence for group in hits for hit in group}
    reach = document.sentences if anywhere else 2
    windows = []
    for start in sorted(starts) if any(hits) else []:
        sound, unsound = [], []
        for group, turned in zip(hits, opposite, strict=True):
            inside = [hit for hit in group if start <= tokens[hit.start].sentence < start + reach]
            good = next((hit for hit in inside if tokens[hit.start].clause not in bad), None)
            wrong = next((hit for hit in inside if tokens[hit.start].clause in bad), None)
            swapped = next((hit for hit in turned if start <= tokens[hit.start].sentence < start + reach), None)
            sound.append(good)
            unsound.append(None if good else wrong or swapped)
        windows.append(_Window(tuple(sound), tuple(unsound)))
    return windows


def _state(near: int, everywhere: int, needed: int) -> State:
    if near >= needed:
        return State.MET
    if everywhere >= needed:
        return State.SCATTERED
    share = near / needed
    if share >= 2 / 3 - 1e-9:
        return State.MOST
    if share >= 1 / 2:
        return State.HALF
    return State.FEW if near else State.NONE


def _is_contradicted(window: _Window, needed: int) -> bool:
    """True where the groups are all there, some of them only denied or turned round."""
    wrong = sum(hit is not None for hit in window.unsound)
    return wrong > 0 and window.count + wrong >= needed


def _misconceptions(
    point: CompiledPoint, document: Document, negating: frozenset[int]
) -> Iterable[tuple[CompiledContradiction, tuple[int, int]]]:
    for row in point.contradictions:
        hits = _in_one_sentence(row.groups, document, negating)
        if hits:
            yield row, _span(hits)


def _in_one_sentence(groups: AliasGroups, document: Document, negating: frozenset[int]) -> list[Hit]:
    """A hit of each group in one sentence that neither denies them nor warns of them; [] where there is none."""
    found = [find_any(group, document) for group in groups]
    if not all(found):
        return []
    consumed = own_negators((hit for group in found for hit in group), negating)
    tokens = document.tokens
    whole = disclaimed(document) if negating else frozenset[int]()
    for sentence in sorted({tokens[hit.start].sentence for hit in found[0]}):
        chosen = [next((hit for hit in group if tokens[hit.start].sentence == sentence), None) for group in found]
        hits = [hit for hit in chosen if hit is not None]
        if (
            len(hits) == len(groups)
            and not denied(hits, document, negating, consumed)
            and not whole & {tokens[hit.start].clause for hit in hits}
            and not _warns(document, sentence)
            and not hedged(document, sentence)
        ):
            return hits
    return []


def _warns(document: Document, sentence: int) -> bool:
    """True where the sentence names an error as one."""
    words = [token for token in document.tokens if token.sentence == sentence]
    text = "".join(token.text for token in words if token.is_cjk)
    judged = any(
        one.text in _WRONG and (two is None or two.clause != one.clause or two.text in _WRONG_WHAT)
        for one, two in zip(words, [*words[1:], None], strict=True)
    )
    return judged or any(token.text in _WARNING for token in words) or any(word in text for word in _WARNING_ZH)


def _similarity(point: CompiledPoint, document: Document, known: frozenset[str]) -> float:
    by_sentence: list[list[int]] = [[] for _ in range(document.sentences)]
    for place, token in enumerate(document.tokens):
        by_sentence[token.sentence].append(place)
    best = 0.0
    sets = [units(document.tokens[place] for place in places) for places in by_sentence]
    for index, one in enumerate(sets):
        both = one | (sets[index + 1] if index + 1 < len(sets) else frozenset())
        best = max(best, *(recall(model, both, known) for model in point.models))
    return best


def _width(hits: Sequence[Hit | None]) -> int:
    start, end = _span(hits)
    return end - start


def _span(hits: Iterable[Hit | None]) -> tuple[int, int]:
    there = [hit for hit in hits if hit is not None]
    return (min(hit.start for hit in there), max(hit.end for hit in there)) if there else (0, 0)
