"""Cuts a folded answer into tokens, sentences and clauses, and indexes where each word stands.

A token is a Latin word (with its stem), a number, or one Chinese character; punctuation is not a token, it ends clauses
and sentences. Every pattern here matches from left to right without going back: time linear in the text.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from grader.written import lexicon
from grader.written.normalize import Folded, fold

CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PIECES = re.compile(rf"[a-z]+|[0-9]+(?:\.[0-9]+)?|[{CJK}]|[^\W\d_]|\n|[^\sa-z0-9]")
_PARENTHESES = re.compile(r"[()]")
_SENTENCE_ENDS = frozenset("。!?;…")
_CLAUSE_ENDS = frozenset(",、:()[]{}|")
_BULLETS = frozenset("-*+#>•·")
_LIST_ENDS = frozenset(".)、")
_SHORT_LINE = 50
"""A line break after fewer characters ends a sentence; after more it may be a wrapped line."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number or Chinese character. `start` and `end` are offsets in the folded text."""

    text: str
    key: str
    """What it is looked up by: the stem of a word, a number without trailing zeros, the character."""
    start: int
    end: int
    sentence: int
    clause: int

    @property
    def is_cjk(self) -> bool:
        """True for a Chinese character."""
        return self.text >= "\u3400"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An answer ready for matching. `index` maps a key to (first token, number of tokens), in order."""

    folded: Folded
    tokens: tuple[Token, ...]
    sentences: int
    index: dict[str, list[tuple[int, int]]] = field(repr=False)


def words(tokens: Iterable[Token]) -> float:
    """The number of words; a Chinese character counts as half a word."""
    return sum(0.5 if token.is_cjk else 1.0 for token in tokens)


def read(text: str) -> Document:
    """`text` as tokens with their sentences and clauses."""
    folded = fold(text)
    tokens = tuple(_tokens(folded.text))
    sentences = tokens[-1].sentence + 1 if tokens else 0
    return Document(folded=folded, tokens=tokens, sentences=sentences, index=_index(tokens))


def _tokens(text: str) -> list[Token]:
    tokens: list[Token] = []
    sentence = clause = 0
    calls = _calls(text)
    for match in _PIECES.finditer(text):
        piece, start = match.group(), match.start()
        here = (tokens[-1].sentence, tokens[-1].clause) if tokens else (-1, -1)
        if piece == "\n":
            ends = _ends_line(text, start)
        elif piece == ".":
            ends = text[start + 1 : start + 2] in ("", " ", "\n", "*", ")", '"') and not _is_list_number(
                tokens, text, start
            )
        else:
            ends = piece in _SENTENCE_ENDS
        if ends and _ends_bold_heading(text, start):
            clause = here[1] + 1
        elif ends:
            sentence, clause = here[0] + 1, here[1] + 1
        elif piece in _LIST_ENDS and _is_list_number(tokens, text, start):
            tokens.pop()  # the number of a list is not a number that the answer names
        elif piece in _CLAUSE_ENDS and start not in calls:
            clause = here[1] + 1
        elif piece == "%" or piece[0].isalnum():  # "1.5" as a whole is not alphanumeric
            if (
                piece in lexicon.CLAUSE_STARTS_EN
                or text.startswith(lexicon.CLAUSE_STARTS_ZH, start)
                or (piece == "and" and text.startswith(lexicon.AND_NOT_EN, start))
            ):
                clause = here[1] + 1
            tokens.extend(_word(piece, start, sentence, clause, after=text[start - 1 : start]))
    return tokens


def _calls(text: str) -> frozenset[int]:
    """Where the parentheses of "O(n)" and "word(s)" stand: they end no clause."""
    found: set[int] = set()
    opened = False
    for match in _PARENTHESES.finditer(text):
        at = match.start()
        before = text[at - 1 : at]
        if text[at] == ")":
            found |= {at} if opened else set()
            opened = False
        elif before.isascii() and before.isalnum():
            found.add(at)
            opened = True
    return frozenset(found)


def _ends_bold_heading(text: str, at: int) -> bool:
    """True for the full stop of "**Memory.** Weights do not fit": the heading belongs to the sentence that it names."""
    if not text.startswith("**", at + 1):
        return False
    line = text[max(0, at - _LONGEST_HEADING) : at].rpartition("\n")[2]
    return line.count("**") == 1 and not line.partition("**")[0].strip(" 0123456789.)、-*+")


_LONGEST_HEADING = 60


def _ends_line(text: str, at: int) -> bool:
    """True where the line break at `at` ends a sentence: a blank line, a bullet or number next, or a short line."""
    rest = text[at + 1 : at + 12].lstrip(" ")
    begins = (
        rest[:1] in _BULLETS
        or rest[:1] == "\n"
        or not rest
        or (rest[0].isdigit() and rest[1:3].lstrip("0123456789")[:1] in (".", ")", "、"))
    )
    return begins or at - text.rfind("\n", 0, at) <= _SHORT_LINE


def _is_list_number(tokens: list[Token], text: str, at: int) -> bool:
    """True where the last token is a short number that begins a line: "1. First" is one sentence."""
    if not tokens or not tokens[-1].text.isdigit() or len(tokens[-1].text) > 2 or tokens[-1].end != at:
        return False
    if text[at + 1 : at + 2] in ("", "\n"):
        return False  # "20." alone is a number that is said
    before = text[max(0, tokens[-1].start - 8) : tokens[-1].start].rstrip(" *#(")
    return before.endswith("\n") or (not before and tokens[-1].start <= 8)


def _word(piece: str, start: int, sentence: int, clause: int, after: str) -> list[Token]:
    """The token of a piece; `n't` and `cannot` become a word and "not"."""
    end = start + len(piece)
    if piece == "cannot":
        return [
            Token("can", "can", start, start + 3, sentence, clause),
            Token("not", "not", start + 3, end, sentence, clause),
        ]
    if piece == "t" and after == "'":
        return [Token("not", "not", start, end, sentence, clause)]
    return [Token(piece, key_of(piece), start, end, sentence, clause)]


def _index(tokens: tuple[Token, ...]) -> dict[str, list[tuple[int, int]]]:
    """Each key's places; two neighbouring words also count as one ("fine tuning" is "finetuning")."""
    index: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, token in enumerate(tokens):
        index[token.key].append((place, 1))
        if place and token.text.isascii() and token.text.isalpha():
            before = tokens[place - 1]
            near = token.start - before.end <= 1 and before.clause == token.clause
            if near and before.text.isascii() and before.text.isalpha():
                index[key_of(before.text + token.text)].append((place - 1, 2))
    return dict(index)


@lru_cache(maxsize=65536)
def key_of(piece: str) -> str:
    """The key of a folded piece: the stem of a word in American spelling, a plain number, else itself."""
    if piece[0].isdecimal():  # not isdigit: float cannot read every digit ("\u1369")
        return f"{float(piece):g}" if len(piece) < 16 else piece
    if piece == "%":
        return key_of("percent")
    if not (piece.isascii() and len(piece) > 2) or piece in lexicon.NEGATORS_EN:
        return piece
    if _is_acronym_plural(piece):
        return piece[:-1]
    return str(_stemmer().stemWord(_american(piece)))


_PLURALS = frozenset("gpus cpus tpus npus xpus ipus lms nns vms".split())


def _is_acronym_plural(piece: str) -> bool:
    """True for "gpus" and "rnns", which the stemmer takes for words like "bus" and for words without a vowel."""
    plain = len(piece) > 3 and piece.endswith("s") and not piece.endswith("ss") and not set(piece) & set("aeiouy")
    return plain or piece in _PLURALS


def _american(word: str) -> str:
    """-ise, -isation and -our as -ize, -ization and -or, for words long enough to carry the ending."""
    if len(word) > 6:
        for british, american in (
            ("isation", "ization"),
            ("ising", "izing"),
            ("ised", "ized"),
            ("iser", "izer"),
            ("ise", "ize"),
        ):
            head, found, tail = word.rpartition(british)
            if found and len(head) > 2 and tail in ("", "s"):
                return head + american + tail
    return (
        word.replace("behaviour", "behavior")
        .replace("labell", "label")
        .replace("modell", "model")
        .replace("centre", "center")
    )


@lru_cache(maxsize=1)
def _stemmer():  # type: ignore[no-untyped-def]  # noqa: ANN202 -- the package has no types
    from snowballstemmer.english_stemmer import EnglishStemmer

    return EnglishStemmer()
