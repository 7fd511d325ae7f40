"""What is compared: the words of one submission's code for a task, or of one of its answers, with where each stands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from grader.similarity.winnow import fingerprints, grams


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it is compared, and where its text stands: the number of its piece, start and end offset there."""

    key: str
    piece: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A text that words come from: a file, or the code cells of a notebook."""

    name: str
    text: str

    def line(self, offset: int) -> int:
        """The number of the line at an offset, from 1."""
        return self.text.count("\n", 0, offset) + 1


@dataclass(frozen=True)
class Unit:
    """One side of a comparison. `size` is the least number of words in a row that counts as the same."""

    owner: str
    """A submission's id, or what else it is, e.g. "reference"."""
    item: str
    """Task or question."""
    pieces: tuple[Piece, ...]
    words: tuple[Word, ...]
    size: int
    public: bool = False
    """True for a reference: such units are compared with submissions, not with each other."""

    @cached_property
    def grams(self) -> tuple[int, ...]:
        """The hash of the words from each position on."""
        return grams([word.key for word in self.words], self.size)

    @cached_property
    def fingerprints(self) -> frozenset[int]:
        """Those of its grams that winnowing selects."""
        return fingerprints(self.grams)

    def excerpt(self, first: int, last: int) -> tuple[str, int, int, str]:
        """Name, first and last line, and the whole lines of the words `first` to `last`, both of one piece."""
        piece = self.pieces[self.words[first].piece]
        start, end = self.words[first].start, self.words[last].end
        head = piece.text.rfind("\n", 0, start) + 1
        tail = piece.text.find("\n", end)
        text = piece.text[head : tail if tail >= 0 else len(piece.text)]
        return piece.name, piece.line(start), piece.line(max(end - 1, start)), text
