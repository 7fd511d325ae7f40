"""Folds an answer to one plain form for matching, and remembers where each character came from.

Quotes in a report must be the candidate's own words, so every folded character carries its offset in the original text.
Each step is a table look-up for one character: the time is linear in the text, whatever the text.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

MAX_CHARS = 12_000
"""What of an answer is read; ten minutes of writing are 300 to 600 words (2,000 to 4,000 characters)."""

# Letters of other scripts that look like Latin ones (Unicode TR 39 confusables, the Cyrillic and Greek capitals and
# lower-case letters whose glyphs are the same). Greek alpha, beta, lambda ... stay: formulas need them.
_LOOK_ALIKES = str.maketrans(
    "АВЕЅЗІЈКМНОРСТУХаеѕіјорсухһԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοɡɑıⅼ∕⁄‐‑‒–—―−×’‘ʼ",
    "ABES3IJKMHOPCTYXaesijopcyxhdqwABEZHIKMNOPTYXogail//-------x'''",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """The folded text, the offset in the original of each of its characters, and the original."""

    text: str
    offsets: tuple[int, ...]
    original: str
    cut: bool
    """True where the original was longer than `MAX_CHARS`; the rest is not read."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The offsets in the original of the folded characters `start` to `end` (exclusive, not empty)."""
        return self.offsets[start], self.offsets[end - 1] + 1


def fold(text: str) -> Folded:
    """`text` in NFKC, simplified Chinese, lower case, Latin letters without accents, no invisible characters."""
    shown = text[:MAX_CHARS]
    chars: list[str] = []
    offsets: list[int] = []
    for index, char in enumerate(shown):
        folded = char if char in _PLAIN else _fold_char(char)
        chars.append(folded)
        offsets.extend([index] * len(folded))
    return Folded(text="".join(chars), offsets=tuple(offsets), original=text, cut=len(text) > MAX_CHARS)


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789 \n.,;:!?()")


@lru_cache(maxsize=8192)
def _fold_char(char: str) -> str:
    """One character's folded form: "" for invisible ones and marks, several for ligatures."""
    if char in "\t\r\v\f\x85\u2028\u2029":
        return "\n" if char != "\t" else " "
    plain = unicodedata.normalize("NFKC", char.translate(_LOOK_ALIKES)).translate(_LOOK_ALIKES)
    plain = "".join(_simplified().get(part, part) for part in plain)
    bare = unicodedata.normalize("NFD", plain.casefold())
    return "".join(part for part in bare if unicodedata.category(part) not in ("Mn", "Me", "Cf", "Cc") or part == "\n")


@cache
def _simplified() -> dict[str, str]:
    """Traditional to simplified, character by character (OpenCC's table; phrases do not matter for matching)."""
    table = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text(encoding="utf-8")
    pairs = (line.split("\t") for line in table.splitlines() if "\t" in line)
    return {source: targets.split(" ")[0] for source, targets in pairs}
