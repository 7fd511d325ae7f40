"""Text from outside made harmless, once, for every sink: terminal, JSON, HTML, Markdown, CSV and XML.

What a candidate typed, printed or raised may hold terminal escapes (OSC 52 writes the clipboard), marks that
reverse the reading direction, zero-width characters and lone surrogates that no encoder takes. Nothing of the
kind leaves this module. It imports nothing of ours and escapes for no format: HTML and CSV do that at their end.
"""

from __future__ import annotations

import re
import unicodedata

ELLIPSIS = "…"
REPLACEMENT = "�"

# Whole escape sequences (ECMA-48: CSI; OSC, DCS, SOS, PM and APC strings; two-character ones), so that "\x1b[31m"
# leaves no "[31m" behind. No alternative runs past the next ESC: the time is linear in the text.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
_LINE_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
# Every character of Unicode category Cf (bidirectional controls, zero-width, tags); tests compare it with unicodedata.
_INVISIBLE = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0001\U000e0020-\U000e007f]"
)
# C0 but tab and newline, DEL, C1, surrogates, and the two code points that XML 1.0 forbids.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def sanitize_text(text: str, limit: int = 4096) -> str:
    """`text` without escapes and invisible marks, at most `limit` characters; newline and tab stay.

    Other control characters and lone surrogates become U+FFFD. A cut text ends with an ellipsis.
    Cleaning twice changes nothing.
    """
    cleaned = _LINE_BREAKS.sub("\n", _ESCAPES.sub("", text))
    cleaned = _FORBIDDEN.sub(REPLACEMENT, _INVISIBLE.sub("", cleaned))
    return shorten(cleaned, limit)


def sanitize_line(text: str, limit: int = 200) -> str:
    """`sanitize_text` on one line: every run of white space becomes one space."""
    return shorten(" ".join(sanitize_text(text, limit * 4).split()), limit)


def shorten(text: str, limit: int) -> str:
    """`text` cut to `limit` characters, the last of them an ellipsis where something was cut."""
    if len(text) <= limit:
        return text
    return text[: max(limit - 1, 0)] + ELLIPSIS[:limit]


def columns_of(text: str) -> int:
    """How many columns a terminal gives `text`: East Asian wide and full-width characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
