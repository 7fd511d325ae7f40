"""Which language an answer is in, by its letters and, for Latin ones, its function words."""

from __future__ import annotations

from grader.written import lexicon
from grader.written.tokens import Document

_MIXED = 0.2
_ENGLISH_WORDS = 0.12
"""Share of function words from which Latin text of some length counts as English; key words alone stay English."""
_OTHER_WORDS = (
    frozenset(
        "der die das und ist nicht ein eine mit fuer auf von le la les des et est une dans pour que qui pas "
        "el los las y es una "
        "con para por il che di non per sono gli o os em com uma het een van niet zijn dat".split()
    )
    - lexicon.FUNCTION_EN
)


def detect(document: Document) -> str:
    """One of "en", "zh", "mixed", "other" (a third language) or "none" (no words at all)."""
    words = [token for token in document.tokens if not token.text[0].isdigit()]
    if not words:
        return "none"
    chinese = sum(token.is_cjk and _is_han(token.text) for token in words)
    latin = [token.text for token in words if token.text.isascii()]
    strange = len(words) - chinese - len(latin)
    if strange > 0.3 * len(words):
        return "other"
    # A Chinese character is about half a word.
    share = chinese / 2 / (chinese / 2 + len(latin)) if chinese or latin else 0.0
    if share < _MIXED and _is_other_latin(latin):
        return "other"
    return "zh" if share > 1 - _MIXED else "en" if share < _MIXED else "mixed"


def _is_han(text: str) -> bool:
    return "\u3400" <= text <= "\u9fff" or "\uf900" <= text <= "\ufaff"


def _is_other_latin(words: list[str]) -> bool:
    if len(words) < 12:
        return False
    english = sum(word in lexicon.FUNCTION_EN for word in words) / len(words)
    other = sum(word in _OTHER_WORDS for word in words) / len(words)
    return english < _ENGLISH_WORDS and other > english
