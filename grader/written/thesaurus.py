"""Plain words for terms of the field: "step size" is read as if "learning rate" stood there as well.

Works on the answer, not on the rubrics, so that a phrase helps every question and costs a few look-ups. The words of
the phrase stay what they are: quotes, negation and guards see only them.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from grader.written.aliases import Alias, compile_alias, find
from grader.written.tokens import Document

Spans = Iterator[tuple[str, tuple[int, int]]]


def widened(document: Document) -> Document:
    """`document` with the terms in its index for which it has plain words."""
    added: dict[str, set[tuple[int, int]]] = {}
    for phrase, term in _entries():
        if all(piece.keys[0] in document.index for piece in phrase.pieces):
            for hit in find(phrase, document):
                for key, span in _spread(term, hit.start, hit.end):
                    added.setdefault(key, set()).add(span)
    if not added:
        return document
    index = document.index | {key: sorted({*document.index.get(key, []), *spans}) for key, spans in added.items()}
    return dataclasses.replace(document, index=index)


def _spread(term: Alias, start: int, end: int) -> Spans:
    """The keys of `term`, each with its part of the tokens from `start` to `end`; nothing where there are too few."""
    size, parts = end - start, len(term.pieces)
    if term.joined:
        yield term.joined, (start, size)
    if size >= parts:
        for number, piece in enumerate(term.pieces):
            last = number == parts - 1
            yield piece.keys[0], (start + number, size - number if last else 1)


@cache
def _entries() -> tuple[tuple[Alias, Alias], ...]:
    """Each phrase with its term, compiled."""
    text = files("grader.written").joinpath("thesaurus.toml").read_text(encoding="utf-8")
    table: dict[str, list[str]] = tomllib.loads(text)["terms"]
    whole = {term: compile_alias(term, _uncut) for term in table}
    return tuple((compile_alias(phrase, _uncut), whole[term]) for term, phrases in table.items() for phrase in phrases)


def _uncut(run: str) -> list[str]:
    return [run]
