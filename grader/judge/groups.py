"""Which checks of a task have to run in one judge, one after the other; the others may run beside them in another.

Checks belong together where they use what is made once and lives in one process: work that is `shared`, or the stream
of `drawn` numbers where its order matters, a fixture of a file; and where one runs `after` another. What needs none of
that is a group of its own for each suite. The grouping follows from the suite alone, so every judge of a task finds the
same.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Final

import pytest

from grader.model import CheckSpec

SCOPE: Final = "file"
"""What a fixture asks for that is made once for a file, a class or a folder."""

Token = tuple[Hashable, ...]
"""Something that checks have in common."""


def groups_of(items: Sequence[pytest.Item], specs: Mapping[str, CheckSpec]) -> list[list[pytest.Item]]:
    """`items` in groups, in the order of their first checks, but those that share work last; `specs` by node id.

    Shared work is what takes long, so it is what another judge should find waiting while the first one is busy.
    """
    askers = {item.nodeid: _askers(item) for item in items}
    ordered = len({asker for found in askers.values() for asker, asked in found if asked == "drawn"}) > 1
    forest = _Forest()
    for item in items:
        spec = specs[item.nodeid]
        found = askers[item.nodeid]
        if any(asked == "request" for _, asked in found):
            return [list(items)]  # it may ask for any fixture by name, once it runs
        tokens = [asker for asker, asked in found if asked in {"shared", SCOPE}] or [(spec.visibility,)]
        tokens += [("drawn",)] if ordered and any(asked == "drawn" for _, asked in found) else []
        tokens += [("check", name) for name in spec.after]
        forest.join(("check", spec.id), *tokens)
    groups: dict[Token, list[pytest.Item]] = {}
    for item in items:
        groups.setdefault(forest.root(("check", specs[item.nodeid].id)), []).append(item)
    sharers = {item.nodeid for item in items if any(asked == "shared" for _, asked in askers[item.nodeid])}
    return sorted(groups.values(), key=lambda group: any(item.nodeid in sharers for item in group))


def _askers(item: pytest.Item) -> set[tuple[Token, str]]:
    """(who asks, for what) among the test itself and the suite's fixtures that it reaches."""
    info = item._fixtureinfo  # type: ignore[attr-defined]  # noqa: SLF001 - pytest tells nowhere else
    found: set[tuple[Token, str]] = {((item.nodeid,), name) for name in info.argnames}
    for name, fixtures in info.name2fixturedefs.items():
        for fixture in fixtures:
            if not fixture.func.__module__.startswith(("_pytest.", "grader.")):
                found |= {((fixture.baseid, name), asked) for asked in fixture.argnames}
                found |= {((fixture.baseid, name), SCOPE)} if fixture.scope not in {"function", "session"} else set()
    return {(asker, asked) for asker, asked in found if asked in {"shared", "drawn", "request", SCOPE}}


class _Forest:
    """Disjoint sets of tokens."""

    def __init__(self) -> None:
        self._above: dict[Token, Token] = {}

    def root(self, token: Token) -> Token:
        """The one token that stands for all that was joined with this one."""
        while (above := self._above.get(token, token)) != token:
            token = above
        return token

    def join(self, *tokens: Token) -> None:
        """They belong together."""
        first, *others = (self.root(token) for token in tokens)
        for other in others:
            self._above[other] = first
