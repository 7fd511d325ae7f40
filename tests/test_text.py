"""Nothing that a terminal, an encoder or a reader can be tricked with survives cleaning."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.text import sanitize_line, sanitize_text, shorten

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=200)


@pytest.mark.parametrize(
    ("hostile", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]52;c;Y2F0\x07clip", "clip"),
        ("\x9b31mred\x9d0;title\x9c", "red"),
        ("a\x07b\x00c", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"),
        ("left\u202eright\u200b", "leftright"),
        ("tab\tand\r\nlines\rthere\u2028", "tab\tand\nlines\nthere\n"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("\x1b]unterminated", "unterminated"),
        ("中文 naïve 🙂", "中文 naïve 🙂"),
    ],
)
def test_hostile_text_becomes_plain(hostile: str, clean: str) -> None:
    assert sanitize_text(hostile) == clean


@given(ANY_TEXT)
def test_only_printable_text_newline_and_tab_remain(text: str) -> None:
    clean = sanitize_text(text)
    bad = {char for char in clean if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - {"\n", "\t"}
    assert not bad
    clean.encode("utf-8")


@given(ANY_TEXT, st.integers(0, 50))
def test_cleaning_twice_changes_nothing_and_the_limit_holds(text: str, limit: int) -> None:
    clean = sanitize_text(text, limit)
    assert sanitize_text(clean, limit) == clean
    assert len(clean) <= limit


def test_every_format_character_of_unicode_is_removed() -> None:
    formats = "".join(chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf")
    assert sanitize_text(formats, 10_000) == ""


@given(ANY_TEXT)
def test_a_line_is_one_line(text: str) -> None:
    assert "\n" not in sanitize_line(text)
    assert "\t" not in sanitize_line(text)


def test_a_cut_text_says_so() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"
    assert shorten("abc", 0) == ""


def test_a_megabyte_of_unfinished_escapes_takes_linear_steps() -> None:
    # Quadratic work on this much would not end within the life of a test run.
    assert len(sanitize_text("\x1b]" * 500_000 + "\x1b[" + "1" * 500_000, 10**7)) <= 10**7
