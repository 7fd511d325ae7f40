"""The table of defences is about the source and the tests as they are. `tests.attacks.defences` proves its rows."""

from __future__ import annotations

import re

import pytest

from tests.attacks.defences import ROOT, Defence, defences

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("defence", defences(), ids=lambda row: row.name)
def test_a_row_names_a_place_and_a_test_that_exist(defence: Defence) -> None:
    assert defence.source().count(defence.old) == 1
    file, _, name = defence.test.partition("::")
    name, _, case = name.partition("[")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not name or re.search(rf"^def {name}\(", text, re.MULTILINE)
    assert not case or f'"{case.removesuffix("]")}"' in text


def test_the_page_has_the_same_table() -> None:
    table = PAGE.partition("## Each defence has a test")[2]
    rows = re.findall(r"^\| (.+?) \| `(tests/[^`]+)` \|$", table, re.MULTILINE)
    assert rows == [(row.name, row.test) for row in defences()]


def test_every_test_that_the_page_names_exists() -> None:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+)[^`]*)?`", PAGE):
        assert (ROOT / path).is_file(), path
        assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), name
