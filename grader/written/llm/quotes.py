"""Finds the passage of an answer that a quote stands for. A quote that is not in the answer proves nothing.

Compared without case, width and white space (NFKC), then, for quotes of some length, allowing a slip in ten characters.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from rapidfuzz import fuzz

from grader.model import Evidence

FUZZY: Final = 90.0
"""Similarity in percent from which a passage counts as quoted: models drop a comma or mend a typing slip."""
FUZZY_FROM: Final = 12
"""Characters below which only the exact text counts; anything short is similar to something."""
SHORTEST: Final = 2
"""Letters or digits; two characters are a word in Chinese."""
LONGEST: Final = 600
ELLIPSES: Final = ("...", "…")


def find_quote(answer: str, quote: str) -> Evidence | None:
    """The passage of `answer` that `quote` gives, with its offsets there; None where there is none.

    Of a quote with an ellipsis the longest part counts.
    """
    for mark in ELLIPSES:
        quote = quote.replace(mark, "\n")
    wanted = max((_folded(part)[0] for part in quote[:LONGEST].split("\n")), key=len)
    if sum(character.isalnum() for character in wanted) < SHORTEST:
        return None
    text, places = _folded(answer)
    start = text.find(wanted)
    end = start + len(wanted)
    if start < 0:
        start, end = _nearly(text, wanted)
    if start < 0:
        return None
    first, last = places[start], places[end - 1] + 1
    return Evidence(quote=answer[first:last], start=first, end=last)


def is_from(text: str, quote: str) -> bool:
    """True where the whole quote stands in `text`: words of the question or of the rubric are nobody's answer."""
    wanted = _folded(quote)[0]
    return bool(wanted) and wanted in _folded(text)[0]


def _folded(text: str) -> tuple[str, list[int]]:
    """`text` without case, width and white space, and the place in `text` of each character that is left."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        for folded in unicodedata.normalize("NFKC", character).casefold():
            if not folded.isspace():
                characters.append(folded)
                places.append(place)
    return "".join(characters), places


def _nearly(text: str, wanted: str) -> tuple[int, int]:
    """Where the best similar passage begins and ends; (-1, -1) where none is similar enough."""
    if len(wanted) < FUZZY_FROM or len(text) < FUZZY_FROM:
        return -1, -1
    found = fuzz.partial_ratio_alignment(wanted, text, score_cutoff=FUZZY)
    if found is None or found.dest_end - found.dest_start < FUZZY_FROM:
        return -1, -1
    return found.dest_start, found.dest_end
