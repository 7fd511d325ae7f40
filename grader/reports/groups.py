"""Checks that ended in the very same way stand together: one slip often costs many checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.model import Json, Outcome

_AT_LEAST = 3
"""Two alike are shown apart, each with its hint: that is no longer than both together."""

_ONE_CAUSE = frozenset({Outcome.INVALID, Outcome.BLOCKED})
"""Ends of one cause even where a candidate's copy does not name it: there is nothing to call, or nothing to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A check, or several that ended in the very same way."""

    checks: tuple[Json, ...]

    @property
    def score(self) -> Json:
        """Of all of them together."""
        return {name: sum(check[name] for check in self.checks) for name in ("earned", "possible")}


def grouped(checks: Sequence[Json]) -> list[Group]:
    """Checks of one end together, in the order of the first of each; what a person judged stands alone."""
    by_end: dict[tuple[str, ...], list[Json]] = {}
    for check in checks:
        end = tuple(check[name] for name in ("outcome", "message", "location", "exception", "output"))
        alone = check.get("human") or not (any(end[1:]) or check["outcome"] in _ONE_CAUSE)
        by_end.setdefault((check["id"],) if alone else end, []).append(check)
    groups = []
    for same in by_end.values():
        groups += [Group(checks=tuple(same))] if len(same) >= _AT_LEAST else [Group(checks=(each,)) for each in same]
    return groups
