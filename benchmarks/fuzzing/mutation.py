"""Random changes of honest bytes, and what one border promises of them.

Every case has a generator of its own, seeded by (seed, border, number): a case that fails is made again alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

INTERESTING: Final = [0, 1, 2, 127, 128, 255, 256, 2**15, 2**16 - 1, 2**20, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1]


class Broken(Exception):
    """Input was taken, but what came out breaks a promise: a file over its budget, a control character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Border:
    """One place where hostile bytes come in."""

    name: str
    make: Callable[[random.Random], bytes]
    """The input of one case."""
    read: Callable[[bytes], object]
    """All that the trusted side does with it. Raises Broken where a promise does not hold."""
    refusals: tuple[type[Exception], ...]
    """What `read` may raise; everything else is a finding."""
    share: int
    """How many of a hundred cases are this border's."""


def mutated(data: bytes, rng: random.Random, snippets: Sequence[bytes], changes: int = 4) -> bytes:
    """`data` with one to `changes` random changes."""
    raw = bytearray(data)
    for _ in range(rng.randint(1, changes)):
        if not raw:
            return b""
        at = rng.randrange(len(raw))
        match rng.randrange(8):
            case 0:
                raw[at] ^= 1 << rng.randrange(8)
            case 1:
                raw[at : at + rng.choice((0, 1, 8))] = rng.choice(snippets)
            case 2:
                del raw[at : at + rng.randint(1, 20)]
            case 3:
                raw[at:at] = raw[at : at + rng.randint(1, 40)]
            case 4:
                number, width = rng.choice(INTERESTING), rng.choice((1, 2, 4, 8))
                raw[at : at + width] = (number % 256**width).to_bytes(width, rng.choice(("big", "little")))
            case 5:
                raw[at : at + 4] = rng.randbytes(4)
            case 6:
                other = rng.randrange(len(raw))
                size = rng.randint(1, 64)
                raw[at : at + size] = raw[other : other + size]
            case _:
                del raw[at if rng.random() < 0.2 else len(raw) :]
    return bytes(raw)
