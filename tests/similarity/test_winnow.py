"""Winnowing keeps its guarantee, and shared runs are shared, disjoint and as long as they can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.similarity.winnow import WINDOW, fingerprints, grams, shared_runs

WORDS = st.lists(st.sampled_from("abc"), max_size=60)
SIZE = 4


@given(WORDS, WORDS, st.lists(st.sampled_from("abcdefgh"), min_size=SIZE + WINDOW - 1, max_size=30), WORDS, WORDS)
def test_a_long_enough_common_run_leaves_a_common_fingerprint(
    a: list[str], b: list[str], common: list[str], c: list[str], d: list[str]
) -> None:
    first = fingerprints(grams([*a, *common, *b], SIZE))
    second = fingerprints(grams([*c, *common, *d], SIZE))
    assert first & second


@given(WORDS, WORDS)
def test_runs_are_common_and_no_word_is_in_two(first: list[str], second: list[str]) -> None:
    runs = shared_runs(grams(first, SIZE), grams(second, SIZE), SIZE)
    seen: set[int] = set()
    taken: set[int] = set()
    for run in runs:
        assert run.length >= SIZE
        assert first[run.first : run.first + run.length] == second[run.second : run.second + run.length]
        here = set(range(run.first, run.first + run.length))
        there = set(range(run.second, run.second + run.length))
        assert not here & seen
        assert not there & taken
        seen |= here
        taken |= there


def test_the_same_text_is_one_run() -> None:
    text = [str(number) for number in range(50)]
    (run,) = shared_runs(grams(text, SIZE), grams(text, SIZE), SIZE)
    assert (run.first, run.second, run.length) == (0, 0, 50)


def test_what_everybody_was_given_matches_nothing() -> None:
    text = list("abcdefghij")
    given_to_all = frozenset(grams(text[:6], SIZE))
    (run,) = shared_runs(grams(text, SIZE), grams(text, SIZE), SIZE, given_to_all)
    assert text[run.first : run.first + run.length] == list("defghij")


def test_a_repeated_line_costs_no_more_than_its_length() -> None:
    text = ["x"] * 20_000
    runs = shared_runs(grams(text, SIZE), grams(text, SIZE), SIZE)
    assert sum(run.length for run in runs) <= 20_000


def test_short_texts_have_few_or_no_fingerprints() -> None:
    assert grams(["a"], SIZE) == ()
    assert fingerprints(()) == frozenset()
    assert len(fingerprints(grams(list("abcde"), SIZE))) == 1
