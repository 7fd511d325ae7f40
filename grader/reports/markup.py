"""Markdown as code hosts render it, with text in it that may be hostile.

What a candidate influenced goes into code spans alone: there a code host takes nothing for a mention (which would
notify people), a reference, a link, an image (which would be fetched) or HTML. Our own texts are escaped.
"""

from __future__ import annotations

import re

from grader.text import sanitize_line

# ASCII punctuation may be escaped anywhere (CommonMark 2.4); what means something inside a line is.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#!|~&$@^])")
_BAR = "¦"
"""For | in code: a table's row is cut at it before code spans are looked for, and escaping it is not portable."""


def code(text: str, limit: int = 200) -> str:
    """`text` on one line in a code span that it cannot leave; "" for nothing."""
    line = sanitize_line(text, limit).replace("|", _BAR)
    if not line:
        return ""
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    # A space inside keeps ticks at the ends apart; renderers take one away on both sides.
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def escaped(text: str, limit: int = 300) -> str:
    """Our own `text` on one line, as it is; not safe against mentions, so never for a candidate's."""
    return _SPECIAL.sub(r"\\\1", sanitize_line(text, limit))


def row(*cells: str) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"
