"""Findings as text, the passages side by side, and as JSON. All of it was written by candidates: it is cleaned here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from grader.model import Json
from grader.similarity.collect import Collected
from grader.similarity.compare import Excerpt, Finding, Passage
from grader.similarity.units import Unit
from grader.text import columns_of, sanitize_line, sanitize_text

SCHEMA_VERSION = 1
_SHOWN_PASSAGES = 3
_SHOWN_LINES = 24
_MAX_TEXT = 8192


def as_text(findings: Sequence[Finding], found: Collected, width: int = 120) -> str:
    """For a terminal of `width` columns."""
    lines = [_head(findings, found)]
    lines += [f"left out: {sanitize_line(line, 300)}" for line in found.left_out]
    for finding in findings:
        lines.extend(_finding(finding, max(width, 60)))
    return "\n".join(lines) + "\n"


def as_json(findings: Sequence[Finding], found: Collected) -> str:
    """The same as a document; a flag for a person, never points."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "submissions": found.submissions,
        "left_out": [sanitize_line(line, 300) for line in found.left_out],
        "findings": [_row(finding) for finding in findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _head(findings: Sequence[Finding], found: Collected) -> str:
    submitted: list[Unit] = [unit for unit in found.units if not unit.public]
    people = "1 submission" if found.submissions == 1 else f"{found.submissions} submissions"
    what = f"{people}, {len(submitted)} programs and answers compared"
    if not findings:
        return f"{what}: nothing that two people would not write alike"
    pairs = "pair" if len(findings) == 1 else "pairs"
    return f"{what}: {len(findings)} {pairs} to look at. Alike is no proof: ask both, or ask about the code."


def _finding(finding: Finding, width: int) -> Iterator[str]:
    yield ""
    share = f"{finding.share:.0%} of the shorter one, {finding.words} words"
    yield f"{finding.item}: {finding.first} and {finding.second} ({finding.kind}): {share}"
    for passage in finding.passages[:_SHOWN_PASSAGES]:
        yield from _passage(passage, width)
    left = len(finding.passages) - _SHOWN_PASSAGES
    if left > 0:
        yield f"  and {left} more passage{'' if left == 1 else 's'}"


def _passage(passage: Passage, width: int) -> Iterator[str]:
    half = (width - 5) // 2
    first, second = _lines(passage.first), _lines(passage.second)
    yield f"  {_cell(_where(passage.first), half)} | {_cell(_where(passage.second), half).rstrip()}"
    rows = max(len(first), len(second))
    for at in range(min(rows, _SHOWN_LINES)):
        left = first[at] if at < len(first) else ""
        right = second[at] if at < len(second) else ""
        yield f"  {_cell(left, half)} | {_cell(right, half)}".rstrip()
    if rows > _SHOWN_LINES:
        yield f"  ... {rows - _SHOWN_LINES} more lines"
    yield ""


def _where(excerpt: Excerpt) -> str:
    return f"{sanitize_line(excerpt.file, 80)}:{excerpt.first_line}-{excerpt.last_line}"


def _lines(excerpt: Excerpt) -> list[str]:
    return sanitize_text(excerpt.text, _MAX_TEXT).expandtabs(4).split("\n")


def _cell(text: str, columns: int) -> str:
    """`text` cut or filled to that many columns; wide characters take two."""
    taken, kept = 0, []
    for char in text:
        wide = columns_of(char)
        if taken + wide > columns:
            break
        kept.append(char)
        taken += wide
    return "".join(kept) + " " * (columns - taken)


def _row(finding: Finding) -> Json:
    return {
        "kind": finding.kind,
        "item": finding.item,
        "first": finding.first,
        "second": finding.second,
        "share": finding.share,
        "words": finding.words,
        "passages": [
            {"words": passage.words, "first": _side(passage.first), "second": _side(passage.second)}
            for passage in finding.passages
        ],
    }


def _side(excerpt: Excerpt) -> Json:
    return {
        "file": sanitize_line(excerpt.file, 240),
        "first_line": excerpt.first_line,
        "last_line": excerpt.last_line,
        "text": sanitize_text(excerpt.text, _MAX_TEXT),
    }
