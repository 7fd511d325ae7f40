"""The text of a page that a reader sees, out of hostile markup, in time that grows with its length alone.

Not `html.parser`: on the Python versions that we support 60 KB of "<a " cost it half a minute, "<![x[" an
AssertionError and a character reference of 5,000 digits a ValueError. Answers need little of HTML; this reads that.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Final

_LINK_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,99}\]:[^\n]*$", re.MULTILINE)
_UNSEEN = ("script", "style", "template", "title", "noscript")
_RAW = ("script", "style", "title")
"""Elements whose content holds no tags: only their own end tag ends them."""
_EMPTY = ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
_BREAKS = ("p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4")
_TAGS = (
    "<script", "<html", "<body", "<style", "<iframe", "<div", "<p>", "<br", "<span", "<!doctype", "<template", "<title",
    "<noscript", "hidden",
)  # fmt: skip
_MAX_OPEN: Final = 64
_MAX_UNENDED: Final = 16
"""Tags that never end, each of which costs a look at the whole rest; after so many the rest is text."""
_HIDING = re.compile(r"display:none|visibility:hidden|opacity:0(?![.\d]*[1-9])|font-size:0(?![.\d]*[1-9])")

# Possessive throughout: nothing is tried twice.
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>"'<]{0,63}+)((?:[^"'>]++|"[^"]*+"|'[^']*+')*+)>""")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?+""")
_HUGE_REFERENCE = re.compile(r"&#(?:[0-9]{8,}+|[xX][0-9a-fA-F]{8,}+);?")


def without_markup(text: str) -> tuple[str, bool]:
    """`text` without HTML, and whether there was any that matters; a lone "<" is left alone.

    What nobody sees who reads the answer as a page earns nothing: comments, definitions of links, hidden elements.
    """
    shown = _LINK_DEFINITION.sub("", _without_comments(text))
    lowered = shown.lower()
    if not any(tag in lowered for tag in _TAGS):
        return shown, shown != text
    return "".join(_visible(shown)), "<" in shown or shown != text


def _without_comments(text: str) -> str:
    """`text` without what stands between "<!--" and "-->"; one that never ends is text."""
    parts, position = [], 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        parts += [text[position:start], " "]
        position = end + 3
    return "".join([*parts, text[position:]])


def _visible(text: str) -> Iterator[str]:
    """The visible parts of `text`, tags as white space."""
    hidden: list[str] = []
    """The elements that are open, from the outermost hidden one on."""
    data = position = unended = 0
    last = text.rfind(">")
    while 0 <= (start := text.find("<", position)) < last and unended < _MAX_UNENDED:
        end, name, closes, attributes = _tag_at(text, start)
        if end == start:
            unended += text[start + 1 : start + 2].isalpha()
            position = start + 1
            continue
        if not hidden:
            yield _plain(text[data:start])
        data = position = end
        if closes:
            _close(hidden, name)
            continue
        yield "\n" if name in _BREAKS else " "
        if name and name not in _EMPTY and (hidden or name in _UNSEEN or _is_hidden(attributes)):
            hidden.append(name)
        if name in _RAW:
            found = re.compile(f"</{name}", re.IGNORECASE).search(text, end)
            data = position = found.start() if found else len(text)
    if not hidden:
        yield _plain(text[data:])


def _tag_at(text: str, start: int) -> tuple[int, str, bool, str]:
    """End, lower-case name, whether it is an end tag, and attributes of what opens at `start`; end = start for text."""
    found = _TAG.match(text, start)
    if found is not None:
        return found.end(), found[2].lower(), bool(found[1]), found[3]
    if text[start + 1 : start + 2] in ("!", "?") or (text[start + 1 : start + 2] == "/" and text[start + 2] != " "):
        return text.find(">", start) + 1, "", False, ""  # a declaration, or what a browser takes for a comment
    return start, "", False, ""


def _close(hidden: list[str], name: str) -> None:
    if name in hidden[-_MAX_OPEN:]:
        while hidden.pop() != name:
            pass


def _plain(text: str) -> str:
    """Text between tags with its character references resolved; one that is no character stays out of int()."""
    return html.unescape(_HUGE_REFERENCE.sub("\ufffd", text))


def _is_hidden(attributes: str) -> bool:
    """True where an element says that it is not shown."""
    found: dict[str, str] = {}
    for name, value in _ATTRIBUTE.findall(attributes):
        found.setdefault(name.lower(), _plain(value.strip("\"'")))
    return "hidden" in found or bool(_HIDING.search(re.sub(r"\s", "", found.get("style", "")).lower()))
