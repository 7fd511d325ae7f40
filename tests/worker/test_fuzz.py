"""Mutated bytes at every border: a result or a refusal comes out, and memory stays flat (see docs/fuzzing.md)."""

from __future__ import annotations

import pytest

from benchmarks import fuzz
from benchmarks.fuzzing.mutation import Border, Broken

CASES = 10_000


def test_nothing_but_results_and_refusals_comes_out_of_ten_thousand_cases() -> None:
    run = fuzz.Run()
    for now in fuzz.go_on(run, CASES):
        assert not now.findings
    assert run.cases == CASES
    assert run.growth_kib < fuzz.MAX_GROWTH_KIB
    for name, seen in run.borders.items():
        assert seen.cases >= CASES / 100, name
        assert seen.refused < seen.cases, f"{name}: the mutations never leave the input readable"
    reached = [name for name, seen in run.borders.items() if seen.refused > seen.cases / 3]
    assert set(reached) == set(run.borders) - {"written answers"}, "the mutations do not reach the checks"


def test_a_run_that_was_stopped_goes_on_where_it_was() -> None:
    whole, halves = fuzz.Run(), fuzz.Run()
    border = fuzz.BORDERS[0]
    fuzz.fuzz(border, whole, 60)
    fuzz.fuzz(border, halves, 25)
    fuzz.fuzz(border, halves, 35)
    assert halves.borders[border.name].refused == whole.borders[border.name].refused


@pytest.mark.parametrize("error", [ValueError("odd"), Broken("a promise"), RecursionError()])
def test_what_is_no_refusal_is_found_and_can_be_made_again(error: Exception) -> None:
    def read(data: bytes) -> None:
        if data[:1] == b"\x07":
            raise error

    border = Border(name="toy", make=lambda rng: bytes([rng.randrange(16)]), read=read, refusals=(KeyError,), share=1)
    run = fuzz.Run(borders={"toy": fuzz.Seen()})
    fuzz.fuzz(border, run, 200)
    assert run.unexpected == len(run.findings) > 3
    assert all(fuzz.one_case(border, run.seed, row["case"]) == b"\x07" for row in run.findings)
    assert not run.green
