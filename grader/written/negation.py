"""Whether a clause denies what it mentions: the rules are few, and doubt goes to "does not deny".

A negator counts where it stands between two of the point's hits ("clipping does *not* stop explosion"), right before
the first, or right after the last together with a general verb ("gradient clipping does *not* help"). It does not count
inside an alias, in "not only", in a conditional ("without warm-up the loss diverges"), nor twice in one clause.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from grader.written import lexicon
from grader.written.aliases import Hit
from grader.written.tokens import Document, Token, key_of

_BEFORE_LATIN, _BEFORE_CJK = 3, 5
_AFTER = 4


def negators(document: Document) -> frozenset[int]:
    """The tokens that negate, without those of "not only", 不仅, 非常 and the like."""
    found: set[int] = set()
    tokens = document.tokens
    for place, token in enumerate(tokens):
        latin = token.text in lexicon.NEGATORS_EN and not _starts(tokens, place, lexicon.NOT_NEGATING_EN)
        if latin or (token.text in _ZH_FIRST and _negates_zh(tokens, place) and not _asks(tokens, place)):
            found.add(place)
    return frozenset(found)


_ZH_FIRST = frozenset("不没无非未勿")


def denied(hits: Sequence[Hit], document: Document, negating: frozenset[int], consumed: frozenset[int]) -> bool:
    """True where one of the clauses that hold `hits` denies what they say together."""
    by_clause: dict[int, list[Hit]] = {}
    for hit in hits:
        by_clause.setdefault(document.tokens[hit.start].clause, []).append(hit)
    return any(_denies(clause, group, document, negating - consumed) for clause, group in by_clause.items())


def near_denial(span: tuple[int, int], document: Document, denying: Iterable[int]) -> bool:
    """True where one of the `denying` tokens stands in a sentence of `span`."""
    tokens = document.tokens
    sentences = {token.sentence for token in tokens[span[0] : span[1]]}
    return any(tokens[place].sentence in sentences for place in denying)


def unconditional(document: Document, negating: Iterable[int]) -> list[int]:
    """Those of the `negating` tokens that stand in no condition."""
    tokens = document.tokens
    return [
        place
        for place in negating
        for clause in [tokens[place].clause]
        if not _is_conditional(tokens, _clause_span(tokens, place, clause), _clause_end(tokens, place, clause))
    ]


def denying_clauses(document: Document) -> frozenset[int]:
    """The clauses that deny something, other than as a condition, or stand under "it is not true that"."""
    denying = unconditional(document, negators(document))
    return frozenset(document.tokens[place].clause for place in denying) | disclaimed(document)


def own_negators(hits: Iterable[Hit], negating: frozenset[int]) -> frozenset[int]:
    """The negators that are part of an alias: they say what the rubric expects."""
    return frozenset(place for hit in hits for place in hit.own if place in negating)


def _denies(clause: int, hits: list[Hit], document: Document, negating: frozenset[int]) -> bool:
    tokens = document.tokens
    first, last = min(hit.start for hit in hits), max(hit.end for hit in hits) - 1
    start, end = _list_start(document, _clause_span(tokens, first, clause)), _clause_end(tokens, last, clause)
    inside = [place for place in range(start, end) if place in negating]
    if inside and _guarantees(tokens, inside[0], end):
        inside = inside[:1]
    if len(inside) != 1 or _is_conditional(tokens, start, end) or _prevents(tokens, inside[0], end):
        return False  # none; or two, which cancel out or are too much to say
    place = inside[0]
    if first < place < last:
        return _between(hits, place) or any(hit.start < place < hit.end - 1 for hit in hits)
    if place < first:
        far = tokens[place].clause != clause or _excuses(tokens, place, first)
        return far or first - place <= (_BEFORE_CJK if tokens[place].is_cjk else _BEFORE_LATIN)
    return place - last <= _AFTER and _generic_predicate(tokens, place + 1, end)


def _list_start(document: Document, start: int) -> int:
    """Where the list begins of which the clause from token `start` is a later member: "not by A, B or C"."""
    tokens, text = document.tokens, document.folded.text
    for _ in range(_LONGEST_LIST):
        if not start or tokens[start].sentence != tokens[start - 1].sentence:
            break
        gap = text[tokens[start - 1].end : tokens[start].start].strip()
        if gap != "、" and not (gap == "," and _is_item(tokens, start)):
            break
        start = _clause_span(tokens, start - 1, tokens[start - 1].clause)
    return start


_LONGEST_LIST = 6
_LONGEST_ITEM = 5


def _is_item(tokens: tuple[Token, ...], start: int) -> bool:
    """True for a clause of few English words without a verb or pronoun of its own."""
    words = tokens[start : _clause_end(tokens, start, tokens[start].clause)]
    return len(words) <= _LONGEST_ITEM and all(
        token.text.isascii() and token.text not in lexicon.NOT_IN_ITEM_EN for token in words
    )


def _excuses(tokens: tuple[Token, ...], place: int, end: int) -> bool:
    """True for "need not", "no reason to" and 没有必要: all that follows in the clause is denied."""
    if tokens[place].is_cjk:
        text = "".join(token.text for token in tokens[place : place + 4])
        return text.startswith(lexicon.EXCUSES_ZH)
    after = [token.text for token in tokens[place + 1 : min(end, place + 3)]]
    return bool(set(after) & lexicon.EXCUSES_EN) or tokens[place - 1].text == "need"


def _guarantees(tokens: tuple[Token, ...], place: int, end: int) -> bool:
    """True for 不能保证 and "does not guarantee": the first negator governs the second."""
    return _next_is(tokens, place, end, lexicon.GUARANTEES_EN, lexicon.GUARANTEES_ZH)


def _prevents(tokens: tuple[Token, ...], place: int, end: int) -> bool:
    """True where something bad is denied: "does not leak"."""
    return _next_is(tokens, place, end, lexicon.PREVENTED_EN, lexicon.PREVENTED_ZH)


def _next_is(
    tokens: tuple[Token, ...], place: int, end: int, english: frozenset[str], chinese: tuple[str, ...]
) -> bool:
    after = tokens[place + 1 : min(end, place + 6)]
    text = "".join(token.text for token in after if token.is_cjk)
    keys = {token.key for token in after[:2]}
    return not keys.isdisjoint(_keys(english)) or text[:2].startswith(chinese) or text[1:4].startswith(chinese)


@lru_cache(maxsize=8)
def _keys(words: frozenset[str]) -> frozenset[str]:
    return frozenset(key_of(word) for word in words)


def _between(hits: list[Hit], place: int) -> bool:
    return any(hit.end <= place for hit in hits) and any(hit.start > place for hit in hits)


def _clause_span(tokens: tuple[Token, ...], place: int, clause: int) -> int:
    while place and tokens[place - 1].clause == clause:
        place -= 1
    return place


def _clause_end(tokens: tuple[Token, ...], place: int, clause: int) -> int:
    place += 1
    while place < len(tokens) and tokens[place].clause == clause:
        place += 1
    return place


def _is_conditional(tokens: tuple[Token, ...], start: int, end: int) -> bool:
    """True for "if not ..., then" and 没有……就会: the denial is a condition, not a claim."""
    words = tokens[start:end]
    if any(token.text in lexicon.CONDITIONALS_EN for token in words[:2]):
        return True
    text = "".join(token.text for token in words if token.is_cjk)
    if text.startswith(lexicon.CONDITIONALS_ZH):
        return True
    follows = text + "".join(token.text for token in tokens[end : end + 8] if token.is_cjk)
    return text.startswith(lexicon.LACKS_ZH) and any(word in follows for word in lexicon.CONSEQUENCES_ZH)


def _generic_predicate(tokens: tuple[Token, ...], start: int, end: int) -> bool:
    words = tokens[start : min(end, start + 4)]
    text = "".join(token.text for token in tokens[start : min(end, start + 6)] if token.is_cjk)
    return any(token.key in _keys(lexicon.GENERIC_PREDICATES_EN) for token in words) or any(
        word in text for word in lexicon.GENERIC_PREDICATES_ZH
    )


def _starts(tokens: tuple[Token, ...], place: int, phrases: Iterable[tuple[str, ...]]) -> bool:
    """True where the token at `place` is the negator of one of the `phrases`."""
    for phrase in phrases:
        shift = next((index for index, word in enumerate(phrase) if word in lexicon.NEGATORS_EN), 0)
        start = place - shift
        if start >= 0 and tuple(token.text for token in tokens[start : start + len(phrase)]) == phrase:
            return True
    return False


def _asks(tokens: tuple[Token, ...], place: int) -> bool:
    """True for 肯不肯, 掉没掉 and 不是……就是: a choice, not a denial."""
    texts = [token.text for token in tokens[max(0, place - 2) : place + 12]]
    at = min(place, 2)
    before, after = texts[:at], texts[at + 1 :]
    same = bool(before) and (before[-1:] == after[:1] or (len(before) == 2 and before == after[:2]))
    return same or (after[:1] == ["是"] and "就是" in "".join(after[2:]))


def disclaimed(document: Document) -> frozenset[int]:
    """The clauses of sentences that begin with "it is not true that" or 并不是说, up to a contrast."""
    tokens = document.tokens
    clauses: set[int] = set()
    for place, token in enumerate(tokens):
        if (not place or tokens[place - 1].sentence != token.sentence) and _is_frame(tokens, place):
            for other in tokens[place:]:
                if other.sentence != token.sentence or (other.start > token.end and _contrasts(document, other)):
                    break
                clauses.add(other.clause)
    return frozenset(clauses)


def _is_frame(tokens: tuple[Token, ...], place: int) -> bool:
    if tokens[place].is_cjk:
        return "".join(token.text for token in tokens[place : place + 8]).startswith(lexicon.FRAMES_ZH)
    words = " ".join(token.text for token in tokens[place : place + 8]).replace("it s ", "it is ", 1)
    return words.startswith(lexicon.FRAMES_EN) or words.replace(" don not ", " do not ").startswith(lexicon.FRAMES_EN)


def _contrasts(document: Document, token: Token) -> bool:
    return token.text in lexicon.CONTRASTS_EN or document.folded.text.startswith(lexicon.CONTRASTS_ZH, token.start)


def hedged(document: Document, sentence: int) -> bool:
    """True where the sentence says "not necessarily" or 不一定."""
    words = [token for token in document.tokens if token.sentence == sentence]
    text = "".join(token.text for token in words if token.is_cjk)
    return any(word in text for word in lexicon.HEDGES_ZH) or any(
        _starts(document.tokens, place, lexicon.HEDGES_EN)
        for place, token in enumerate(document.tokens)
        if token.sentence == sentence and token.text == "not"
    )


def goes_on(document: Document, clause: int) -> bool:
    """True where the next clause of the sentence puts right what `clause` denied: "it B" after "X does not A"."""
    after = next((place for place, token in enumerate(document.tokens) if token.clause > clause), None)
    if after is None or not after:
        return False
    one, two = document.tokens[after - 1 : after + 1]
    if one.sentence != two.sentence and document.folded.text[one.end : two.start].strip() != ";":
        return False
    return document.tokens[after].text in lexicon.GOES_ON_EN or document.tokens[after].text in lexicon.GOES_ON_ZH


def _negates_zh(tokens: tuple[Token, ...], place: int) -> bool:
    """True unless the character belongs to a word of `NOT_NEGATING_ZH`; of 并不是 only one character counts."""
    around = "".join(token.text for token in tokens[max(0, place - 3) : place + 4])
    at = sum(len(token.text) for token in tokens[max(0, place - 3) : place])
    if around.startswith(lexicon.NEGATING_ZH, at):
        return True
    for word in lexicon.NOT_NEGATING_ZH:
        begin = around.find(word)
        while begin != -1:
            if begin <= at < begin + len(word):
                return False
            begin = around.find(word, begin + 1)
    return True
