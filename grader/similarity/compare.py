"""Compares each with each, and says which pairs have more in common than two people's own work.

The thresholds were chosen on the styles in `reference/` and the samples in `candidates/`: of programs written apart the
closest have half of their words in common and 102 in a row, while copies in disguise have 73 percent and more. Of 3,439
pairs of answers written apart the closest share 9 percent and 19 words in a row. docs/compare.md has the figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from grader.similarity.collect import Collected
from grader.similarity.units import Unit
from grader.similarity.winnow import Run, shared_runs

_KEPT_PASSAGES: Final = 12


@dataclass(frozen=True, slots=True)
class Rule:
    """When a pair is worth a look: a share of the shorter side and that many words, or so many in a row."""

    share: float
    words: int
    run: int
    fingerprints: int
    """Fewer in common than this, and the pair is not looked at."""


CODE = Rule(share=0.65, words=100, run=150, fingerprints=3)
ANSWER = Rule(share=0.25, words=30, run=40, fingerprints=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """Whole lines of one side."""

    file: str
    first_line: int
    last_line: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What both sides have, longest first."""

    words: int
    first: Excerpt
    second: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A pair that a person should look at. `second` is a submission's id, or "reference"."""

    kind: str
    """"code" or "answer"."""
    item: str
    first: str
    second: str
    share: float
    """Of the shorter side's own words that both have, 0 to 1."""
    words: int
    passages: tuple[Passage, ...]


def find_similar(found: Collected) -> list[Finding]:
    """The pairs worth a look, most alike first. Nothing is compared with itself, nor two references."""
    groups: dict[tuple[str, int], list[Unit]] = defaultdict(list)
    for unit in found.units:
        groups[unit.item, unit.size].append(unit)
    findings: list[Finding] = []
    for (item, size), units in groups.items():
        known = found.known.get(item, found.known.get(f"{item}/{size}", frozenset()))
        is_code = item in found.known
        findings += _in_group(units, known, CODE if is_code else ANSWER, "code" if is_code else "answer")
    return sorted(findings, key=lambda one: (-one.share, -one.words, one.first, one.second, one.item))


def _in_group(units: list[Unit], known: frozenset[int], rule: Rule, kind: str) -> Iterator[Finding]:
    sizes = [_own_words(unit, known) for unit in units]
    for first, second in _pairs(units, known, rule.fingerprints):
        one, other = units[first], units[second]
        runs = shared_runs(one.grams, other.grams, one.size, known)
        words = sum(run.length for run in runs)
        share = min(words / max(min(sizes[first], sizes[second]), 1), 1.0)
        longest = max((run.length for run in runs), default=0)
        if (share >= rule.share and words >= rule.words) or longest >= rule.run:
            yield Finding(
                kind=kind, item=one.item, first=one.owner, second=other.owner, share=round(share, 3), words=words,
                passages=tuple(_passages(one, other, runs)),
            )  # fmt: skip


def _own_words(unit: Unit, known: frozenset[int]) -> int:
    """The words that are in no gram which everybody was given."""
    given = bytearray(len(unit.words))
    for at, value in enumerate(unit.grams):
        if value in known:
            given[at : at + unit.size] = b"\1" * unit.size
    return given.count(0)


def _pairs(units: list[Unit], known: frozenset[int], least: int) -> Iterable[tuple[int, int]]:
    """The pairs with enough fingerprints in common; a reference is always the second."""
    holders: dict[int, list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        for value in unit.fingerprints - known:
            holders[value].append(number)
    common: Counter[tuple[int, int]] = Counter()
    for numbers in holders.values():
        for at, first in enumerate(numbers):
            for second in numbers[at + 1 :]:
                if units[first].owner != units[second].owner:
                    common[(second, first) if units[first].public else (first, second)] += 1
    return sorted(pair for pair, count in common.items() if count >= least)


def _passages(one: Unit, other: Unit, runs: list[Run]) -> Iterator[Passage]:
    for run in sorted(runs, key=lambda run: -run.length)[:_KEPT_PASSAGES]:
        yield Passage(
            words=run.length,
            first=_excerpt(one, run.first, run.length),
            second=_excerpt(other, run.second, run.length),
        )


def _excerpt(unit: Unit, first: int, length: int) -> Excerpt:
    """The lines of a run; where it goes on in the next file, those of the file that it begins in."""
    last = first + length - 1
    while unit.words[last].piece != unit.words[first].piece:
        last -= 1
    name, start, end, text = unit.excerpt(first, last)
    return Excerpt(file=name, first_line=start, last_line=end, text=text)
