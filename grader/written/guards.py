"""What makes a score doubtful or void, seen before any point is matched: copies, key words, repetition, instructions.

A guard masks sentences (they earn nothing), caps the score, or only asks for review; which of them is in `CAPS`.
Sources of the lines: the exemplars and the probes of tests/written/test_probes.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise

from grader.written import lexicon
from grader.written.aliases import compile_alias, find_any
from grader.written.similarity import units
from grader.written.tokens import Document, Token, words

COPIED_SENTENCE = 0.25
"""A sentence with a smaller share of content units that are not in the question is the question again."""
STUFFED_GLUE = 0.16
"""Share of joining words below which a text of some length is a list of key words."""
STUFFED_DISORDER = 0.11
"""Share of misplaced joining words: genuine train exemplars and references have 0.083 at most; 98 % of the references
in random word order have more than this."""
STUFFED_PIECE_EN, STUFFED_PIECE_ZH = 3.2, 2.6
"""Mean words of a clause (two Chinese characters are one) below which many clauses are key words one by one: genuine
answers have 3.7 and 3.3 at least."""
COPIED_UNITS, COPIED_PART = 8, 0.6
"""A copy has so many content units, or this share of a shorter question's: "a stack is a list" only uses its words."""


class Flag(StrEnum):
    """What a reader of the score must know; each asks for review but `UNANSWERED`."""

    UNANSWERED = "unanswered"
    NON_ANSWER = "non_answer"
    NOT_TEXT = "not_text"
    COPIED_QUESTION = "copied_question"
    STUFFED = "stuffed"
    REPETITION = "repetition"
    OTHER_QUESTION = "other_question"
    INJECTION = "injection"
    TOO_LONG = "too_long"
    MARKUP = "markup"
    LANGUAGE = "unsupported_language"
    DUPLICATE = "answered_twice"
    NEGATED = "negated"
    MISCONCEPTION = "misconception"
    MIDDLE = "middle_band"
    LITTLE_FOUND = "little_found"


CAPS = {
    Flag.NON_ANSWER: 0.0,
    Flag.NOT_TEXT: 0.0,
    Flag.COPIED_QUESTION: 0.0,
    Flag.STUFFED: 0.15,
    Flag.NEGATED: 0.2,
    Flag.OTHER_QUESTION: 0.1,
}
"""The most that a flagged answer can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """The flags of an answer, and its sentences that must earn nothing."""

    flags: tuple[Flag, ...]
    masked: frozenset[int]


def guard(document: Document, questions: Iterable[Document]) -> Guarded:
    """Looks at the whole answer. `questions`: the question in each language, and other text that may be copied."""
    flags: list[Flag] = []
    sentences = _by_sentence(document.tokens)
    listed = list(questions)
    asked = [units(question.tokens) for question in listed]
    known = frozenset(unit for one in asked for unit in one)
    given = formulas("\n".join(question.folded.text for question in listed))
    least = min([COPIED_UNITS, *(max(2.0, COPIED_PART * len(one)) for one in asked)])
    copied = {
        number
        for number, tokens in sentences.items()
        if _is_copied(tokens, known, least) and _formulas_of(document, tokens) <= given
    }
    injected = _injected(document, lexicon.TO_GRADER)
    repeated = _repeated(sentences)
    own = [token for token in document.tokens if token.sentence not in copied and token.sentence not in injected]
    if not document.tokens or _is_non_answer(document):
        flags.append(Flag.NON_ANSWER)
    elif formulas(document.folded.text) <= given and (
        _is_copied(list(document.tokens), known, least) or (copied and not units(own) - known)
    ):
        flags.append(Flag.COPIED_QUESTION)
    if injected or _injected(document, lexicon.INSTRUCTIONS) or _plays_role(document):
        flags.append(Flag.INJECTION)
    if is_stuffed(own):
        flags.append(Flag.STUFFED)
    if len(repeated) >= 2 and len(repeated) > 0.3 * len(sentences):
        flags.append(Flag.REPETITION)
    if document.folded.cut:
        flags.append(Flag.TOO_LONG)
    return Guarded(flags=tuple(flags), masked=frozenset(copied | injected | repeated))


def glue(tokens: Sequence[Token]) -> float:
    """The share of joining words among the words of `tokens`; a Chinese character counts as half a word."""
    size = words(tokens)
    joining = sum(
        (0.5 if token.text in lexicon.FUNCTION_ZH else 0.0)
        if token.is_cjk
        else float(token.text in lexicon.FUNCTION_EN)
        for token in tokens
    )
    return joining / size if size else 0.0


def disorder(tokens: Sequence[Token]) -> float:
    """The share of English joining words that stand where none can: "the of", "is and", "with" before a full stop."""
    seen = wrong = 0
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        never = _NEVER_AFTER.get(token.text)
        if never is not None:
            seen += 1
            wrong += after is None or after.sentence != token.sentence or after.text in never or _jars(token, after)
    return wrong / seen if seen >= _LEAST_JOINING and wrong >= _LEAST_WRONG else 0.0


def _jars(token: Token, after: Token) -> bool:
    """True for "the" before a comma, and for "a" or "an" before the wrong sound (short words may be acronyms)."""
    if token.text not in _ARTICLES:
        return False
    if after.clause != token.clause and after.start - token.end > 1:
        return True
    word = after.text
    if token.text not in ("a", "an") or len(word) < _LEAST_LETTERS or not word.isascii():
        return False
    return (word[0] in "aeiou") != (token.text == "an") and not word.startswith(_OTHER_SOUND)


_ARTICLES = frozenset("a an the its their our my your every".split())
_LEAST_LETTERS = 5
_OTHER_SOUND = ("uni", "use", "usu", "uti", "eu", "one", "once", "hour", "honest", "heir")


_LEAST_JOINING, _LEAST_WRONG = 8, 3
"""A slip or two in a short answer is no disorder."""


def _never_after() -> dict[str, frozenset[str]]:
    """For each joining word those that cannot follow it."""
    both = frozenset({"and", "or"})
    table: dict[str, frozenset[str]] = {}
    for word in lexicon.DETERMINERS_EN:
        table[word] = (
            lexicon.PREPOSITIONS_EN | lexicon.AUXILIARIES_EN | lexicon.DETERMINERS_EN | lexicon.CONJUNCTIONS_EN
        )
    for word in _ARTICLES:
        table[word] |= lexicon.PRONOUNS_EN
    for word in ("this", "these"):
        table[word] = table[word] - lexicon.AUXILIARIES_EN  # "this is"
    for word in lexicon.PREPOSITIONS_EN:
        table[word] = lexicon.AUXILIARIES_EN | lexicon.PREPOSITIONS_EN | both
    table["to"] -= {"be", "have", "do"}
    for word in lexicon.AUXILIARIES_EN:
        table[word] = (
            (lexicon.PREPOSITIONS_EN - lexicon.AFTER_AUXILIARY_EN)
            | both
            | {"is", "are", "can", "should", "must", "may"}
        )
    for word in both:
        table[word] = both | {"of", "were", "been", "had", "would", "could", "might", "did"}
    return table


_NEVER_AFTER = _never_after()


_LEAST_WORDS = 15
_LEAST_SPACED = 4
_LEAST_CUTS = 8


def is_stuffed(tokens: Sequence[Token]) -> bool:
    """True for a text of some length with hardly any joining words, or with its words shuffled."""
    size = words(tokens)
    named = _pieces(tokens)
    if len(named) > _LEAST_CUTS and size / len(named) < _least_piece(tokens):
        return True
    if size < _LEAST_WORDS:
        return False
    return glue(tokens) < _least_glue(tokens) or disorder(tokens) > STUFFED_DISORDER or _is_chopped(tokens)


def _is_chopped(tokens: Sequence[Token]) -> bool:
    """True for many short pieces with few joining words and hardly a full stop: key words in Chinese."""
    spaced = sum(
        one.is_cjk and two.is_cjk and two.start > one.end and one.clause == two.clause for one, two in pairwise(tokens)
    )
    if spaced >= _LEAST_SPACED and spaced * 25 >= len(tokens):
        return True  # nobody puts spaces between Chinese words
    cuts = len(_pieces(tokens)) - 1
    stops = tokens[-1].sentence - tokens[0].sentence
    if cuts < _LEAST_CUTS or stops * 6 > cuts:
        return False
    chinese = sum(token.is_cjk for token in tokens) * 2 > len(tokens)
    size, least = (6.0, 0.2) if chinese else (4.0, 0.3)
    return len(tokens) / (cuts + 1) <= size and glue(tokens) < least


def _pieces(tokens: Sequence[Token]) -> set[int]:
    """The clauses that hold a word: those of numbers and single letters alone are parts of a sequence or a formula."""
    return {token.clause for token in tokens if token.is_cjk or (len(token.key) > 1 and not token.text[0].isdecimal())}


def formulas(folded: str) -> frozenset[str]:
    """The formulas in a folded text, such as "(2n+1)/3": single letters and digits with an operator between them."""
    runs = _FORMULA.findall(folded.replace(" ", ""))
    return frozenset(run for run in runs if not _OPERATORS.isdisjoint(run) and any(map(str.isdecimal, run)))


_FORMULA = re.compile(r"(?:(?<![a-z])[a-z](?![a-z])|[0-9+*/^=().-])+")
_OPERATORS = frozenset("+-*/^=")


def _formulas_of(document: Document, tokens: Sequence[Token]) -> frozenset[str]:
    return formulas(document.folded.text[tokens[0].start : tokens[-1].end])


def _least_glue(tokens: Sequence[Token]) -> float:
    """English has more joining words than Chinese, whose verbs and measure words do the same work."""
    return _by_language(tokens, STUFFED_GLUE, 0.06)


def _least_piece(tokens: Sequence[Token]) -> float:
    return _by_language(tokens, STUFFED_PIECE_EN, STUFFED_PIECE_ZH)


def _by_language(tokens: Sequence[Token], english: float, chinese: float) -> float:
    """A limit between that of English and that of Chinese, by the share of Chinese characters."""
    share = sum(token.is_cjk for token in tokens) / len(tokens)
    return english * (1 - share) + chinese * share


def _by_sentence(tokens: Iterable[Token]) -> dict[int, list[Token]]:
    sentences: dict[int, list[Token]] = {}
    for token in tokens:
        sentences.setdefault(token.sentence, []).append(token)
    return sentences


def _is_copied(tokens: list[Token], known: frozenset[str], least: float) -> bool:
    mine = units(tokens)
    return len(mine) >= least and len(mine - known) / len(mine) < COPIED_SENTENCE


def _repeated(sentences: dict[int, list[Token]]) -> set[int]:
    """The sentences that say again, word for word, what an earlier one said."""
    seen: Counter[tuple[str, ...]] = Counter()
    repeated = set()
    for number, tokens in sentences.items():
        words = tuple(token.key for token in tokens)
        if len(words) >= 4 and seen[words]:
            repeated.add(number)
        seen[words] += 1
    return repeated


def _is_non_answer(document: Document) -> bool:
    text = "".join(token.text for token in document.tokens)
    return (
        len(text) < 3 or text.removeprefix("我").removeprefix("对不起").removesuffix("这个问题") in lexicon.NON_ANSWERS
    )


def _injected(document: Document, phrases: tuple[str, ...]) -> set[int]:
    """The sentences that speak to whoever grades."""
    return {document.tokens[hit.start].sentence for hit in find_any(_compiled(phrases), document)}


def _plays_role(document: Document) -> bool:
    """True where a line begins as a chat's system or assistant would: "SYSTEM: ..."."""
    tokens, text = document.tokens, document.folded.text
    for place, token in enumerate(tokens):
        if token.text in lexicon.ROLES and (not place or tokens[place - 1].sentence != token.sentence):
            after = text[token.end : token.end + 4].lstrip(" *]>|")
            if after.startswith(":") or text[max(0, token.start - 2) : token.start] == "<|":
                return True
    return False


@cache
def _compiled(phrases: tuple[str, ...]):  # type: ignore[no-untyped-def]  # noqa: ANN202 -- a tuple of Alias
    return tuple(compile_alias(phrase, lambda run: [run]) for phrase in phrases)
