"""Names and budgets: every rule refuses its breach with the member and the remedy, and nothing honest."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.intake.rules import Basket, Budget, fold

PARTS = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=30)
ANY_PATH = st.lists(
    st.one_of(PARTS, st.sampled_from(["..", ".", "", "C:", "\x00", "\ud800", "a\\b"])), max_size=14
).map("/".join)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/etc/passwd", "absolute"),
        ("C:/x.py", "absolute"),
        ("c:x.py", "absolute"),
        ("../out-evil/x.py", "leads out"),
        ("a/../../x.py", "leads out"),
        ("a\\..\\x.py", "backslash"),
        ("a\x00.py", "control or invisible"),
        ("a\n.py", "control or invisible"),
        ("a\x1b[2J.py", "control or invisible"),
        ("gnp\u202eyp.py", "control or invisible"),
        ("a\u200b.py", "control or invisible"),
        ("\udcff.py", "not UTF-8"),
        ("x" * 241, "more than 240 bytes"),
        ("中" * 81, "more than 240 bytes"),
        ("/".join("abcdefghijklm"), "12 folders deep"),
        ("data/more.zip", "archive inside"),
        ("x.TAR.GZ", "archive inside"),
    ],
)
def test_a_hostile_name_is_refused(path: str, rule: str) -> None:
    with pytest.raises(SubmissionRejected, match=rule) as caught:
        Basket().admit(path, is_file=True)
    assert caught.value.hint
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("./a//b.py", "a/b.py"),
        ("con.py", "con.py"),
        ("-rf $(x);.py", "-rf $(x);.py"),
        ("模型.py", "模型.py"),
        ("cafe\u0301.py", "café.py"),
        ("model.pt", "model.pt"),
        ("./", None),
        (".git/config", None),
        ("a/__pycache__/x.pyc", None),
        ("._cnn.py", None),
    ],
)
def test_an_honest_name_is_cleaned_and_junk_is_skipped(path: str, clean: str | None) -> None:
    assert Basket().admit(path, is_file=True) == clean


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.py", "A.py"),
        ("stra\u00dfe", "STRASSE"),
        ("\u00e9.py", "e\u0301.py"),
        ("A/x.py", "a/y.py"),
        ("a", "a/b"),
        ("a", "a"),
    ],
)
def test_twins_are_refused(first: str, second: str) -> None:
    basket = Basket()
    basket.put(basket.admit(first, is_file=True) or "", b"")
    with pytest.raises(SubmissionRejected, match="clashes with"):
        basket.admit(second, is_file=True)


def test_a_folder_may_be_named_before_its_files_and_again() -> None:
    basket = Basket()
    assert [basket.admit(path, is_file=False) for path in ("a/", "a", "a/b/")] == ["a", "a", "a/b"]
    assert basket.admit("a/b/c.py", is_file=True) == "a/b/c.py"


def test_budgets_for_files_notebooks_the_total_and_the_count() -> None:
    basket = Basket(Budget(total_bytes=25, file_bytes=10, notebook_bytes=20, members=2))
    basket.put("a.ipynb", bytes(20))
    with pytest.raises(SubmissionRejected, match="'b.py' is larger"):
        basket.put("b.py", bytes(11))
    with pytest.raises(SubmissionRejected, match="makes the submission larger"):
        basket.put("b.py", bytes(6))
    basket.count("a")
    basket.count("b")
    with pytest.raises(SubmissionRejected, match="'c' is one file too many: at most 2"):
        basket.count("c")


def test_the_ratio_counts_only_for_what_is_large() -> None:
    basket = Basket()
    basket.check_ratio("a", 1024**2, 1)
    basket.check_ratio("a", 200 * 10_000, 10_000)
    with pytest.raises(SubmissionRejected, match="200-fold"):
        basket.check_ratio("a", 200 * 10_000 + 1, 10_000)


def test_notes_name_what_was_skipped_once_and_briefly() -> None:
    basket = Basket()
    for index in range(30):
        basket.admit(f"d{index:02}/__pycache__/a.pyc", is_file=True)
        basket.admit(f"d{index:02}/__pycache__/b.pyc", is_file=True)
    notes = basket.notes()
    assert notes[0] == "skipped d00/__pycache__: tools leave it behind"
    assert notes[-1] == "skipped 10 more such files"
    assert len(notes) == 21


@given(st.lists(ANY_PATH, max_size=6))
def test_whatever_is_admitted_is_a_safe_distinct_relative_path(paths: list[str]) -> None:
    basket = Basket()
    for path in paths:
        try:
            clean = basket.admit(path, is_file=True)
        except SubmissionRejected as error:
            assert str(error).isprintable()
            continue
        if clean is not None and clean not in basket.files:
            basket.put(clean, b"")
    for path in basket.files:
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(path.split("/"))
        assert "\\" not in path
        assert (
            path.isprintable() or " " in path or any(unicodedata.category(char) in ("Zs", "Cn", "Co") for char in path)
        )
        assert len(path.encode()) <= 240
    assert len({fold(path) for path in basket.files}) == len(basket.files)
