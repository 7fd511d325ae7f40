"""How figures and moments are written on a page. Nothing here makes markup."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from grader.model import Json
from grader.reports.effective import total
from grader.reports.passages import Piece, exact_spans, pieces_of

_MIB = 1024**2


def number(value: float) -> str:
    """Points, as short as they are exact: 20, 9.71."""
    return f"{round(value, 2):g}"


def percent(value: float) -> str:
    """Of a percentage: 33.3 -> 33.3 %."""
    return f"{round(value, 1):g} %"


def share(row: Json) -> float:
    """Earned of possible, 0 to 1; 0 where there is nothing to earn."""
    return min(row["earned"] / row["possible"], 1.0) if row["possible"] else 0.0


def pieces(question: Json) -> list[Piece]:
    """The whole answer, cut where evidence starts and ends; none where the report does not hold it."""
    answer: str = question.get("answer", "")
    return pieces_of(answer, exact_spans(question)) if answer else []


def level(value: float) -> int:
    """A share as one of eleven steps; only nothing is 0, and only all of it is 10."""
    if value <= 0 or value >= 1:
        return 10 if value >= 1 else 0
    return min(max(round(value * 10), 1), 9)


def signed(value: float) -> str:
    """Two decimals, a real minus sign."""
    return f"{value:.2f}".replace("-", "−")


def strip(shares: Sequence[float | None]) -> list[tuple[int, str]]:
    """Shares beside each other, one unit wide and high each: for each level the path of an SVG."""
    paths: dict[int, list[str]] = {}
    start = 0
    for known, run in groupby(shares, key=lambda value: None if value is None else level(value)):
        width = len(list(run))
        if known is not None:
            paths.setdefault(known, []).append(f"M{start} 0h{width}v1h-{width}z")
        start += width
    return [(known, "".join(parts)) for known, parts in sorted(paths.items())]


def whole_percents(shares: Sequence[float | None]) -> str:
    """Shares as whole percentages with commas between; nothing for None."""
    return ",".join("" if value is None else str(whole_percent(value)) for value in shares)


def whole_percent(value: float) -> int:
    """A share as a whole percentage; as with `level`, only nothing is 0, and only all of it is 100."""
    return int(min(max(round(100 * value), value > 0), 100 if value >= 1 else 99))


def as_json(value: Any) -> str:  # noqa: ANN401 -- any JSON value
    """A value as readable JSON. Not markup: it is escaped like any text."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def mebibytes(value: float) -> str:
    """Bytes as MiB."""
    return f"{value / _MIB:,.0f} MiB"


def seconds(value: float) -> str:
    """A time: three figures are enough."""
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s"


def moment(value: str) -> str:
    """An ISO 8601 time as people read it; what is no time stays as it is."""
    try:
        when = datetime.fromisoformat(value)
    except ValueError:
        return value
    zone = when.tzname() or ""
    return f"{when:%Y-%m-%d %H:%M} {zone}".strip()


FILTERS: Mapping[str, Callable[..., Any]] = {
    "number": number,
    "percent": percent,
    "share": share,
    "counted": total,
    "level": level,
    "pieces": pieces,
    "signed": signed,
    "strip": strip,
    "whole_percent": whole_percent,
    "whole_percents": whole_percents,
    "as_json": as_json,
    "mebibytes": mebibytes,
    "seconds": seconds,
    "moment": moment,
}
