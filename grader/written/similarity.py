"""How much of a model sentence's words an answer's sentences hold: informs a partial credit, never decides.

Content units are stems of words and pairs of neighbouring Chinese characters. A measure of words cannot see a negation
or a reversed order, which is why it only ever supports what aliases found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.written import lexicon
from grader.written.tokens import Token, read


@dataclass(frozen=True, slots=True)
class Passage:
    """The content units of a text."""

    units: frozenset[str]


def passage(text: str) -> Passage:
    """The content units of `text`."""
    return Passage(units(read(text).tokens))


def units(tokens: Iterable[Token]) -> frozenset[str]:
    """Stems of the content words and pairs of Chinese characters of `tokens`."""
    found: set[str] = set()
    before: Token | None = None
    for token in tokens:
        if token.is_cjk:
            if before is not None and before.is_cjk and before.end == token.start:
                pair = before.text + token.text
                if not (before.text in lexicon.FUNCTION_ZH or token.text in lexicon.FUNCTION_ZH):
                    found.add(pair)
        elif token.text not in lexicon.FUNCTION_EN:
            found.add(token.key)
        before = token
    return frozenset(found)


def recall(model: Passage, answer: frozenset[str], known: frozenset[str]) -> float:
    """The share of the model's units that `answer` holds, without those of the question (`known`)."""
    wanted = model.units - known
    return len(wanted & answer) / len(wanted) if wanted else 0.0
