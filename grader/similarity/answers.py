"""A written answer as a sequence of words: Latin words, numbers, and single Chinese characters, folded to a plain form.

Case, accents, full-width forms, traditional characters, punctuation and invisible characters make no difference. Words
in the question, the rubric's titles and the template are no sign of anything: whoever quotes them is not copying.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from grader.similarity.units import Word
from grader.similarity.winnow import grams
from grader.written.normalize import fold

SIZE: Final = 9
"""Words in a row that count as the same; shorter runs are phrases of the field (loss with respect to the weights)."""
SIZE_CHINESE: Final = 14
"""The same for answers in Chinese, counted in characters."""
_CHINESE = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_WORD = re.compile(rf"[{_CHINESE}]|[^\W_{_CHINESE}]+(?:'[^\W_{_CHINESE}]+)*")


def answer_words(text: str) -> tuple[Word, ...]:
    """The words of an answer, with their offsets in it."""
    folded = fold(text)
    words = []
    for match in _WORD.finditer(folded.text):
        start, end = folded.span(*match.span())
        words.append(Word(match[0], 0, start, end))
    return tuple(words)


def size_for(words: Iterable[Word]) -> int:
    """How many words in a row count: more where most are single Chinese characters."""
    keys = [word.key for word in words]
    chinese = sum(bool(re.match(f"[{_CHINESE}]", key)) for key in keys)
    return SIZE_CHINESE if chinese * 2 > len(keys) else SIZE


def quoted(texts: Iterable[str], size: int) -> frozenset[int]:
    """The grams of texts that everybody may quote."""
    return frozenset(value for text in texts for value in grams([word.key for word in answer_words(text)], size))
