"""Aliases: plain words from a rubric, compiled once, and where they occur in an answer.

The pieces of an alias may stand in any order within a few tokens of each other, in one sentence; see
docs/writing-rubrics.md. There is no pattern language, so no alias can be slow.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from grader.written import lexicon
from grader.written.normalize import fold
from grader.written.tokens import CJK, Document, Token, key_of, read

MAX_PLACES = 40
"""Places of one alias that are looked at: an answer that repeats a word is not better for it."""
_SLACK_LATIN, _SLACK_CJK = 4, 7
"""Tokens that may stand between two pieces; a Chinese character is a token."""
_SKIPPED = frozenset("a an the of to in on for and or with by is are be it its as at".split())

Cut = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of an alias: keys of tokens that stand side by side, or a range of numbers."""

    keys: tuple[str, ...]
    low: float = 0.0
    high: float = -1.0
    """A range where `high` is not below `low`; then `keys` is empty."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A compiled alias. `exact`: the pieces are one, and compared unstemmed. `ordered`: a negation comes first."""

    source: str
    pieces: tuple[Piece, ...]
    exact: bool = False
    ordered: bool = False
    joined: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """An alias in an answer: its tokens from `start` to `end` (exclusive), and exactly which of them are its own."""

    start: int
    end: int
    own: frozenset[int]
    alias: Alias


def compile_alias(source: str, cut: Cut) -> Alias:
    """The alias that `source` spells; `cut` splits Chinese words that stand together."""
    if source.startswith("="):
        tokens = read(source[1:]).tokens
        return Alias(source, (Piece(tuple(map(_exactly, tokens))),) if tokens else (), exact=True)
    pieces = [piece for word in source.split() for piece in _pieces(word, cut)]
    kept = [piece for piece in pieces if not piece.keys or piece.keys[0] not in _SKIPPED] or pieces
    negated = any(piece.keys and piece.keys[0] in _NEGATIONS for piece in kept)
    return Alias(source, tuple(kept), ordered=negated, joined=_joined(source))


def is_shrunk(alias: Alias) -> bool:
    """True where joining words were dropped and one word is left: "by user" finds every "user"."""
    if alias.exact or len(alias.pieces) != 1 or not alias.pieces[0].keys:
        return False
    return len(read(alias.source).tokens) > len(alias.pieces[0].keys)


def _exactly(token: Token) -> str:
    """What an exact alias compares: the word as it stands, a number by its value."""
    return token.key if token.text[0].isdecimal() else token.text


def _joined(source: str) -> str:
    """The key of an alias of two Latin words written as one ("fine tuning", "finetuning"); "" for any other."""
    if not source.isascii() or len(source.replace("-", " ").split()) > 2:
        return ""
    words = [token.text for token in read(source).tokens]
    return (
        key_of("".join(words)) if len(words) == 2 and all(word.isascii() and word.isalpha() for word in words) else ""
    )


_NEGATIONS = lexicon.NEGATORS_EN | frozenset("不没无未非")


def find(alias: Alias, document: Document) -> list[Hit]:
    """Where `alias` occurs, from left to right, at most `MAX_PLACES`; nowhere for an alias without words."""
    if not alias.pieces:
        return []
    if alias.exact:
        return [_hit(alias, [span]) for span in _exact_places(alias.pieces[0].keys, document)][:MAX_PLACES]
    places = [_places(piece, document) for piece in alias.pieces]
    if alias.joined in document.index:
        return [_hit(alias, [span]) for span in document.index[alias.joined][:MAX_PLACES]]
    if not all(places):
        return []
    if len(places) == 1:
        return [_hit(alias, [span]) for span in places[0][:MAX_PLACES]]
    anchor = min(range(len(places)), key=lambda index: len(places[index]))
    found = (_around(alias, places, anchor, span, document) for span in places[anchor][:MAX_PLACES])
    return [_hit(alias, spans) for spans in found if spans]


def find_any(aliases: Iterable[Alias], document: Document) -> list[Hit]:
    """The hits of all `aliases`, by place."""
    hits = [hit for alias in aliases for hit in find(alias, document)]
    return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.alias.source))


@lru_cache(maxsize=32768)
def _pieces(word: str, cut: Cut) -> list[Piece]:
    """The pieces of one word of an alias: a number range, Latin words and numbers, Chinese words."""
    if word.startswith("<") and ".." in word:
        low, _, high = word.strip("<>").partition("..")
        return [Piece((), float(low), float(high))]
    pieces: list[Piece] = []
    run = ""
    for token in (*read(word).tokens, None):
        if token is not None and token.is_cjk:
            run += token.text
            continue
        if run:
            pieces.extend(Piece(tuple(part)) for part in (cut(run) if len(run) > 3 else [run]))
            run = ""
        if token is not None:
            pieces.append(Piece((token.key,)))
    return pieces


def _places(piece: Piece, document: Document) -> list[tuple[int, int]]:
    """The spans (first token, number of tokens) of a piece."""
    if not piece.keys:
        return [
            (place, 1)
            for place, token in enumerate(document.tokens)
            if token.text[0].isdecimal() and len(token.text) < 16 and piece.low <= float(token.text) <= piece.high
        ]
    if len(piece.keys) == 1:
        return document.index.get(piece.keys[0], [])
    size = len(piece.keys)
    starts = document.index.get(piece.keys[0], [])
    return [(place, size) for place, _ in starts if _stands_at(piece.keys, place, document)]


def _stands_at(keys: tuple[str, ...], place: int, document: Document) -> bool:
    tokens = document.tokens[place : place + len(keys)]
    return (
        len(tokens) == len(keys)
        and all(token.key == key for token, key in zip(tokens, keys, strict=True))
        and (tokens[0].sentence == tokens[-1].sentence)
    )


def _exact_places(texts: tuple[str, ...], document: Document) -> list[tuple[int, int]]:
    starts = document.index.get(key_of(texts[0]), [])
    size = len(texts)
    return [
        (place, size)
        for place, _ in starts
        for tokens in [document.tokens[place : place + size]]
        if tuple(map(_exactly, tokens)) == texts and tokens[0].sentence == tokens[-1].sentence
    ]


def _around(
    alias: Alias, places: list[list[tuple[int, int]]], anchor: int, span: tuple[int, int], document: Document
) -> list[tuple[int, int]]:
    """One span for each piece, close to the anchor's and to each other; [] where there are none."""
    chosen = [span]
    for index, options in enumerate(places):
        if index != anchor:
            near = _nearest(options, chosen, span, before=alias.ordered and index < anchor)
            if near is None:
                return []
            chosen.append(near)
    start, end = min(place for place, _ in chosen), max(place + size for place, size in chosen)
    tokens = document.tokens
    own = sum(size for _, size in chosen)
    slack = sum(_SLACK_CJK if tokens[place].is_cjk else _SLACK_LATIN for place, _ in chosen) - _SLACK_LATIN
    if tokens[start].sentence != tokens[end - 1].sentence or end - start - own > slack:
        return []
    if alias.ordered and not _in_order(alias, chosen, anchor):
        return []
    return chosen


def _nearest(
    options: list[tuple[int, int]], taken: list[tuple[int, int]], span: tuple[int, int], *, before: bool
) -> tuple[int, int] | None:
    """The option closest to `span` that overlaps none taken; only those before it where `before`."""
    at = bisect_left(options, span)
    candidates = options[max(0, at - 3) : at + (0 if before else 3)]
    free = [option for option in candidates if all(_apart(option, other) for other in taken)]
    return min(free, key=lambda option: (abs(option[0] - span[0]), option), default=None)


def _apart(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one[0] + one[1] <= other[0] or other[0] + other[1] <= one[0]


def _in_order(alias: Alias, chosen: list[tuple[int, int]], anchor: int) -> bool:
    """True where the spans (the anchor's first) follow the order of the pieces."""
    order = [anchor, *(index for index in range(len(alias.pieces)) if index != anchor)]
    by_piece = [place for _, (place, _) in sorted(zip(order, chosen, strict=True), key=lambda pair: pair[0])]
    return by_piece == sorted(by_piece)


def _hit(alias: Alias, spans: list[tuple[int, int]]) -> Hit:
    own = frozenset(place + offset for place, size in spans for offset in range(size))
    return Hit(min(own), max(own) + 1, own, alias)


@cache
def chinese_parts(text: str) -> tuple[str, ...]:
    """The runs of Chinese characters of `text`, folded: what a segmenter must know."""
    import re

    return tuple(re.findall(f"[{CJK}]+", fold(text).text))
