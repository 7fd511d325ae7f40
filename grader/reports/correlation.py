"""Pearson's r, as item statistics need it: None where chance or rounding would be all that it says."""

from __future__ import annotations

import math
from collections.abc import Sequence


def correlation(pairs: Sequence[tuple[float, float]], *, least: int) -> float | None:
    """Pearson's r; None for fewer than `least` pairs, or where one side does not vary."""
    if len(pairs) < least:
        return None
    mean_x = math.fsum(x for x, _ in pairs) / len(pairs)
    mean_y = math.fsum(y for _, y in pairs) / len(pairs)
    covariance = math.fsum((x - mean_x) * (y - mean_y) for x, y in pairs)
    spread_x = math.fsum((x - mean_x) ** 2 for x, _ in pairs)
    spread_y = math.fsum((y - mean_y) ** 2 for _, y in pairs)
    if min(spread_x, spread_y) < 1e-9:
        return None
    return max(-1.0, min(covariance / math.sqrt(spread_x * spread_y), 1.0))
