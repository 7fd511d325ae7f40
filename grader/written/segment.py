"""Chinese words by jieba's dictionary: the most probable cut, without the hidden Markov model, so it never guesses.

jieba's own start builds the whole dictionary (a second and 150 MB) or trusts a cache file in the shared temporary
folder. Here only the entries that can occur in the texts at hand are loaded; the cut is the same, as others
could not match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.resources import files
from math import log


class Segmenter:
    """Cuts texts over the characters of `texts`; both are folded."""

    def __init__(self, texts: Iterable[str]) -> None:
        pairs = {text[index : index + 2] for text in texts for index in range(len(text) - 1)}
        self._counts: dict[str, int] = {}
        for line in _dictionary():
            if line[:2] in pairs or line[1] == " ":
                word, count, _ = line.split(" ", 2)
                self._counts[word] = int(count)
        self._longest = max(map(len, self._counts), default=1)

    def cut(self, text: str) -> list[str]:
        """The words of `text` (Chinese characters only), by dynamic programming from the right, as jieba does."""
        best = [0.0] * (len(text) + 1)
        step = [1] * (len(text) + 1)
        for start in range(len(text) - 1, -1, -1):
            options = [
                (log(self._counts.get(text[start:end], 0) or 1) - _LOG_TOTAL + best[end], end)
                for end in range(start + 1, min(start + self._longest, len(text)) + 1)
                if end == start + 1 or self._counts.get(text[start:end])
            ]
            best[start], step[start] = max(options)
        words, start = [], 0
        while start < len(text):
            words.append(text[start : step[start]])
            start = step[start]
        return words


_LOG_TOTAL = log(60_101_967)
"""Of all counts of the dictionary (jieba 0.42)."""


def _dictionary() -> Iterator[str]:
    with files("jieba").joinpath("dict.txt").open(encoding="utf-8") as lines:
        yield from lines
