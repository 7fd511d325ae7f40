"""Python as a sequence of words in which renaming, reformatting, comments and other constants make no difference.

A lexer of regular expressions, linear in the text: submissions are hostile, and Python's own parser takes nesting that
ends the process. Source that is no valid Python gives words, too. Names that the file itself binds (variables,
functions, classes, parameters, attributes that it sets) become one word, because a copy has others; names of libraries,
methods and keyword arguments stay, because a copy cannot change them.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from grader.similarity.units import Piece, Word

SIZE: Final = 20
"""Words in a row that count as the same: about two lines of code."""
MAX_WORDS: Final = 60_000
_MAX_CHARS: Final = 1024**2
_MAX_CELLS: Final = 2000
_LEXEME = re.compile(
    r"(?P<comment>\#[^\n]*)"
    # A string that is never closed ends with its line or the text: no alternative fails late, which would be quadratic.
    r"|(?P<string>[rRbBuUfF]{0,2}(?:\"\"\"(?:[^\"\\]|\\.|\"(?!\"\"))*+(?:\"\"\"|\\?\Z)|'''(?:[^'\\]|\\.|'(?!''))*+(?:'''|\\?\Z)"
    r"|\"(?:[^\"\\\n]|\\.)*+(?:\"|(?=\n)|\\?\Z)|'(?:[^'\\\n]|\\.)*+(?:'|(?=\n)|\\?\Z)))"
    r"|(?P<number>(?:\d|\.\d)(?:[\w.]|(?<=[eE])[+-])*)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<newline>\n)"
    r"|(?P<operator>\*\*=?|//=?|>>=?|<<=?|[-+*/%@&|^=<>!:]=|->|[-+*/%@&|^~<>()\[\]{},:;.=!])"
    r"|(?P<other>\S)",
    re.DOTALL,
)
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
_MAGIC = re.compile(r"^[ \t]*[!%?].*$", re.MULTILINE)
_BINDERS = frozenset(("def", "class", "as", "global", "nonlocal"))


def code_words(pieces: Sequence[Piece]) -> tuple[Word, ...]:
    """The words of the pieces, one after the other."""
    lexed = [_lex(piece.text) for piece in pieces]
    bound = {name for lines in lexed for line in lines for name in _bound(line)}
    words: list[Word] = []
    for number, lines in enumerate(lexed):
        for line in lines:
            if line[0].text in ("import", "from"):
                continue  # everybody's are the same
            words.extend(Word(lexeme.key(bound), number, lexeme.start, lexeme.end) for lexeme in line)
    return tuple(words[:MAX_WORDS])


def code_pieces(files: Mapping[str, bytes], names: Sequence[str]) -> tuple[Piece, ...]:
    """The Python of those files; of notebooks their code cells, without lines for a shell."""
    pieces = []
    for name in names:
        text = files[name][: _MAX_CHARS * 4].decode("utf-8", "replace")
        text = _cells(text) if name.endswith(".ipynb") else text
        pieces.append(Piece(name, text[:_MAX_CHARS].replace("\r\n", "\n")))
    return tuple(pieces)


def _cells(text: str) -> str:
    """The code cells of a notebook; "" where it is none."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    cells = content.get("cells") if isinstance(content, dict) else None
    sources = []
    for cell in cells[:_MAX_CELLS] if isinstance(cells, list) else ():
        source = cell.get("source") if isinstance(cell, dict) and cell.get("cell_type") == "code" else ""
        if isinstance(source, list):
            source = "".join(part for part in source if isinstance(part, str))
        sources.append(source if isinstance(source, str) else "")
    return _MAGIC.sub("", "\n".join(sources))


class _Lexeme:
    """One token of the source."""

    __slots__ = ("end", "kind", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int) -> None:
        self.kind, self.text, self.start, self.end = kind, text, start, end

    @property
    def is_name(self) -> bool:
        """True for a name that may be bound."""
        return self.kind == "name" and not keyword.iskeyword(self.text)

    def key(self, bound: set[str]) -> str:
        """What it is compared by."""
        if self.kind in ("string", "number"):
            return self.kind
        return "name" if self.kind == "name" and self.text in bound else self.text


def _lex(text: str) -> list[list[_Lexeme]]:
    """The logical lines of the source that say something: no comment, no string that stands alone."""
    lines: list[list[_Lexeme]] = []
    line: list[_Lexeme] = []
    depth = 0
    for match in _LEXEME.finditer(text):
        kind = match.lastgroup or "other"
        if kind == "newline" or match[0] == ";":
            if depth <= 0 or kind != "newline":
                lines.append(line)
                line, depth = [], 0
            continue
        if kind in ("comment", "other"):
            continue
        depth += (match[0] in _OPEN) - (match[0] in _CLOSE)
        line.append(_Lexeme(kind, match[0], match.start(), match.end()))
    lines.append(line)
    return [line for line in lines if line and not all(lexeme.kind == "string" for lexeme in line)]


def _bound(line: Sequence[_Lexeme]) -> Iterator[str]:
    """The names that a logical line binds."""
    yield from _introduced(line)
    yield from _assigned(line)


def _introduced(line: Sequence[_Lexeme]) -> Iterator[str]:
    """By def (its parameters too), class, lambda, as, for, := and import."""
    head, depth, looping = line[0].text, 0, False
    header = head in ("def", "async")
    for at, lexeme in enumerate(line):
        before = line[at - 1].text if at else ""
        after = line[at + 1].text if at + 1 < len(line) else ""
        depth += (lexeme.text in _OPEN) - (lexeme.text in _CLOSE)
        looping = lexeme.text in ("for", "lambda") or (looping and lexeme.text not in ("in", ":"))
        if not lexeme.is_name or before == ".":
            continue
        parameter = header and depth == 1 and before in ("(", ",", "*", "**")
        if before in _BINDERS or after == ":=" or looping or parameter:
            yield lexeme.text


def _assigned(line: Sequence[_Lexeme]) -> Iterator[str]:
    """By = at the top of the line, with a type or without, and by += and its like; attributes of a name included."""
    depth, ends = 0, []
    for at, lexeme in enumerate(line):
        depth += (lexeme.text in _OPEN) - (lexeme.text in _CLOSE)
        plain = lexeme.text == "=" or (
            len(lexeme.text) > 1 and lexeme.text.endswith("=") and lexeme.text[0] in "+-*/%@&|^:"
        )
        if plain and depth == 0 and lexeme.kind == "operator":
            ends.append(at)
    if not ends or line[0].text in ("def", "class", "for", "while", "if", "return", "assert", "with"):
        return
    for at, lexeme in enumerate(line[: ends[-1]]):
        before = line[at - 1].text if at else ""
        own = before == "." and at > 1 and line[at - 2].is_name and (at < 3 or line[at - 3].text != ".")
        if lexeme.is_name and (before != "." or own):
            yield lexeme.text
