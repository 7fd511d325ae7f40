"""Fingerprints of word sequences, and the passages that two sequences share.

Winnowing: Schleimer, Wilkerson and Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003. Of
each window of hashes the smallest is kept, so that two texts with a common run of at least `size + WINDOW - 1` words
share a fingerprint, at a fraction of the hashes. Fingerprints choose the pairs that are worth a closer look; the
passages themselves are found on all hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

WINDOW: Final = 8
_MAX_PLACES: Final = 16
"""Of one gram in the other text that are tried: a line repeated a thousand times must not cost a million steps."""


def grams(keys: Sequence[str], size: int) -> tuple[int, ...]:
    """A 64-bit hash of each run of `size` words; () for a shorter text."""
    parts = [key.encode("utf-8", "surrogatepass") for key in keys]
    return tuple(
        int.from_bytes(hashlib.blake2b(b"\0".join(parts[at : at + size]), digest_size=8).digest(), "big")
        for at in range(len(parts) - size + 1)
    )


def fingerprints(hashes: Sequence[int], window: int = WINDOW) -> frozenset[int]:
    """The smallest hash of each window; of a text shorter than a window its smallest one."""
    if len(hashes) <= window:
        return frozenset([min(hashes)] if hashes else [])
    return frozenset(min(hashes[at : at + window]) for at in range(len(hashes) - window + 1))


@dataclass(frozen=True, slots=True)
class Run:
    """Words that two texts share: where they begin in each, and how many they are."""

    first: int
    second: int
    length: int


def shared_runs(
    first: Sequence[int], second: Sequence[int], size: int, ignored: Collection[int] = frozenset()
) -> list[Run]:
    """The longest common runs, in the first text's order; no word of either is in two of them.

    `first` and `second` are grams; those in `ignored` (a starter's, a question's) match nothing. A run of n grams is
    n + size - 1 words. Greedy from the left, as in Wise's string tiling but in one pass: near-linear in the texts.
    """
    places: dict[int, list[int]] = {}
    for at, value in enumerate(second):
        if value not in ignored and len(rows := places.setdefault(value, [])) < _MAX_PLACES:
            rows.append(at)
    runs: list[Run] = []
    taken = bytearray(len(second) + size)
    at = 0
    while at < len(first):
        best = (0, 0)
        for to in places.get(first[at], ()):
            count = 0
            while (
                at + count < len(first)
                and to + count < len(second)
                and first[at + count] == second[to + count]
                and first[at + count] not in ignored
                and not taken[to + count]
                and not taken[to + count + size - 1]
            ):
                count += 1
            best = max(best, (count, -to))
        count, to = best[0], -best[1]
        if not count:
            at += 1
            continue
        length = count + size - 1
        runs.append(Run(at, to, length))
        taken[to : to + length] = b"\1" * length
        at += length
    return runs
