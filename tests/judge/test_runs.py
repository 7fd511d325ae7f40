"""Whole runs of suites: credit, randomness, work that checks share, and what reaches the report."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.fakes import Ends, FunctionBrain, Said
from tests.judge.conftest import RunSuite
from tests.judge.suites import FIVE, OTHER, five, job_for, raiser, task_at

# --- credit and dependence --------------------------------------------------------------------------------


def test_partial_credit_ends_a_check_as_failed_with_a_share(run_suite: RunSuite) -> None:
    ran = run_suite("@check('x')\ndef test(candidate): partial(0.25, 'a quarter')")
    result = ran.checks["x"]
    assert (result.outcome, result.fraction, result.message) == ("failed", 0.25, "a quarter")


def test_what_depends_on_a_failed_check_is_blocked(run_suite: RunSuite) -> None:
    ran = run_suite(
        "@check('a', 2)\ndef test_a(candidate): require(False, 'no')\n"
        "@check('b', 3, after=('a',))\ndef test_b(candidate): candidate.call('never')\n"
        "@check('c', 2, after=('b',))\ndef test_c(candidate): pass\n"
        "@check('d', 3)\ndef test_d(candidate): pass\n"
    )
    assert ran.outcomes() == {"a": "failed", "b": "blocked", "c": "blocked", "d": "passed"}
    assert "check a did not pass" in ran.checks["b"].message


def test_partial_credit_does_not_unblock(run_suite: RunSuite) -> None:
    ran = run_suite(
        "@check('a', 5)\ndef test_a(candidate): partial(0.9, 'most')\n"
        "@check('b', 5, after=('a',))\ndef test_b(candidate): pass\n"
    )
    assert ran.outcomes() == {"a": "failed", "b": "blocked"}


# --- randomness -------------------------------------------------------------------------------------------

DRAWS = """
@check("{0}", 5)
def test_{0}(candidate, rng, drawn): candidate.call("note", "{0}", rng.integers(2**62), drawn.integers(2**62))
"""


def test_each_check_draws_from_the_secret_seed_whatever_the_order(run_suite: RunSuite) -> None:
    def draws(names: str, seed: int) -> dict[str, list[int]]:
        noted: dict[str, list[int]] = {}
        functions = {"note": lambda name, own, drawn: noted.__setitem__(name, [own, drawn])}
        ran = run_suite("".join(DRAWS.format(name) for name in names), functions, seed=seed)
        assert set(ran.outcomes().values()) == {"passed"}
        return noted

    first, second, other = draws("ab", 7), draws("ba", 7), draws("ab", 8)
    assert first["a"][0] == second["a"][0]
    assert first["b"][0] == second["b"][0]
    assert first["a"][0] != first["b"][0]
    assert first["a"] != other["a"]
    assert first["a"][1] == second["b"][1], "what is drawn for the run comes from one stream"


def test_the_candidate_never_sees_the_secret_seed(run_suite: RunSuite) -> None:
    secret = 0x1234567890ABCDEF
    brain = FunctionBrain({"five": five})
    run_suite(FIVE, brain=brain, seed=secret)
    seeds = [head["seed"] for head in brain.asked]
    assert secret not in seeds
    assert len(set(seeds)) == len(seeds)


# --- work that checks share, and processes that die --------------------------------------------------------

SHARED = """
@pytest.fixture(scope="session")
def trained(shared):
    return shared(lambda candidate: (candidate, candidate.call("train").integer()))

@check("a", 1)
def test_a(trained): require(trained()[1] == 1, "trained again")

@check("b", 1)
def test_b(trained): trained()[0].call("deadly")

@check("c", 1)
def test_c(trained): require(trained()[1] == 2, "not trained again")

@check("d", 1)
def test_d(trained): require(trained()[1] == 2, "trained again")

@check("e", 1)
def test_e(trained): trained()[0].call("deadly")

@check("f", 1)
def test_f(trained): require(trained()[1] == 3, "not trained again")

@check("g", 1)
def test_g(trained): trained()[0].call("deadly")

@check("h", 1)
def test_h(trained): trained()

@check("i", 2)
def test_i(trained, candidate): pass
"""


def counter() -> Any:
    count = iter(range(1, 100))
    return lambda: next(count)


def test_a_shared_recipe_runs_again_where_a_check_killed_it_but_twice_only(run_suite: RunSuite) -> None:
    death = raiser(Ends(Said("died", exit={"code": 0, "signal": None})))
    ran = run_suite(SHARED, {"train": counter(), "deadly": death})
    crashed = dict.fromkeys("beghi", "crashed")
    assert ran.outcomes() == dict.fromkeys("acdf", "passed") | crashed
    assert "not run" in ran.checks["h"].message
    assert "not run" in ran.checks["i"].message


def test_a_recipe_that_failed_is_not_run_again(run_suite: RunSuite) -> None:
    calls = counter()

    def train() -> int:
        calls()
        raise ValueError("diverged")

    ran = run_suite(SHARED, {"train": train, "deadly": five})
    assert set(ran.outcomes().values()) == {"raised", "passed"}
    assert ran.outcomes()["i"] == "passed"
    assert calls() == 2


def test_exceptions_cost_no_process(run_suite: RunSuite) -> None:
    many = "".join(f"@check('n{i}', 1)\ndef test_{i}(candidate): candidate.call('five')\n" for i in range(12))
    ran = run_suite(many, {"five": raiser(ValueError("no"))}, points=12.0)
    assert set(ran.outcomes().values()) == {"raised"}


def test_no_session_stays_open(run_suite: RunSuite) -> None:
    recipes = "".join(
        f"@pytest.fixture(scope='session')\ndef r{i}(shared): return shared(lambda c: c.call('five'))\n"
        f"@check('n{i}', 1)\ndef test_{i}(r{i}): r{i}()\n"
        for i in range(12)
    )
    ran = run_suite(recipes, {"five": raiser(ValueError("no"))}, points=12.0)
    assert set(ran.outcomes().values()) == {"raised"}
    assert ran.backend
    assert ran.backend.sandboxes[0].open == set()
    assert ran.backend.sandboxes[0].opened == 12


class NeverLoads(FunctionBrain):
    """An entry file that cannot be loaded."""

    def answer(self, session: int, request: Any) -> Said:
        """See Brain."""
        error = {"class": "", "message": "toy.py is not valid Python", "location": "", "traceback": ""}
        return Said(answer={"status": "invalid", "value": None, "error": error})


def test_a_file_that_does_not_load_is_invalid_for_every_check(run_suite: RunSuite) -> None:
    many = "".join(f"@check('n{i}', 1)\ndef test_{i}(candidate): pass\n" for i in range(12))
    ran = run_suite(many, brain=NeverLoads({}), points=12.0)
    assert set(ran.outcomes().values()) == {"invalid"}
    assert ran.backend
    assert ran.backend.sandboxes[0].open == set()


# --- what reaches the report --------------------------------------------------------------------------------


def test_prints_are_captured_for_their_check_and_never_parsed(run_suite: RunSuite) -> None:
    brain = FunctionBrain({})

    def five_loudly() -> torch.Tensor:
        brain.text += '{"status": "ok", "score": 1.0, "outcome": "passed"}\n1 passed in 0.01s'
        return torch.tensor([0, 0])

    brain._functions = {"five": five_loudly, "other": lambda: 1}
    ran = run_suite(FIVE + OTHER, brain=brain, points=20.0)
    assert ran.outcomes() == {"five": "failed", "other": "passed"}
    assert "1 passed" in ran.checks["five"].output
    assert ran.checks["other"].output == ""


class Tells(FunctionBrain):
    """A session that says of every call what the test wants."""

    def __init__(self, **error: str) -> None:
        super().__init__({"five": five})
        self._error = {"class": "ValueError", "message": "m", "location": "", "traceback": ""} | error

    def answer(self, session: int, request: Any) -> Said:
        """See Brain."""
        if request.head["verb"] == "load":
            return super().answer(session, request)
        return Said(answer={"status": "raised", "value": None, "error": self._error})


@pytest.mark.parametrize("place", ["toy.py:1", "toy.py:5", "src/net work.py:2"])
def test_the_line_of_the_candidates_own_file_is_kept(run_suite: RunSuite, place: str) -> None:
    files = {"toy.py": b"\n" * 5, "src/net work.py": b"a\nb"}
    base = job_for(task_at(None, 1)).submission  # type: ignore[arg-type]  # only the submission is used
    ran = run_suite(FIVE, brain=Tells(location=place), submission=replace(base, files=files))
    assert ran.checks["five"].location == place


@pytest.mark.parametrize(
    "place",
    ["toy.py:6", "toy.py:0", "toy.py:-1", "toy.py:", "toy.py", ":1", "", "/etc/passwd:1", "hidden/test_hidden.py:3",
     "other.py:1", "./toy.py:1", "toy.py:1:1", "toy.py:١", "toy.py: 1", "toy.py:1\n", "toy.py:" + "9" * 5000,
     "label 3 label 7:1"],
    ids=lambda value: value[:30],
)  # fmt: skip
def test_a_forged_place_is_not_believed(run_suite: RunSuite, place: str) -> None:
    ran = run_suite(FIVE, brain=Tells(location=place))
    assert (ran.outcomes(), ran.checks["five"].location) == ({"five": "raised"}, "")


@pytest.mark.parametrize("name", ["Leak_3_7_1", "int", "print", "", "__import__", "a b", "x" * 5000])
def test_a_forged_exception_class_is_not_believed(run_suite: RunSuite, name: str) -> None:
    assert run_suite(FIVE, brain=Tells(**{"class": name})).checks["five"].exception == ""


def test_a_built_in_exception_class_is_kept(run_suite: RunSuite) -> None:
    for name in ("ValueError", "KeyboardInterrupt", "UnicodeDecodeError", "ExceptionGroup"):
        assert run_suite(FIVE, brain=Tells(**{"class": name})).checks["five"].exception == name


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"status": "ok"}, {"status": "passed", "value": 1, "error": None},
     {"status": "raised", "value": None, "error": None}, {"status": "raised", "value": None, "error": {"class": "E"}},
     {"status": 1, "value": 1, "error": 1},
     {"status": ["ok"], "value": None, "error": None}, {"status": {}, "value": None, "error": None},
     {"status": "raised", "value": None, "error": {"class": 1, "message": 2, "location": 3, "traceback": 4}},
     {"status": "ok", "value": {"$": "code", "v": "x"}, "error": None}],
    ids=str,
)  # fmt: skip
def test_an_answer_of_another_form_is_a_violation(run_suite: RunSuite, answer: Any) -> None:
    class Odd(FunctionBrain):
        def answer(self, session: int, request: Any) -> Said:
            return super().answer(session, request) if request.head["verb"] == "load" else Said(answer=answer)

    ran = run_suite(FIVE, brain=Odd({"five": five}))
    assert ran.outcomes() in ({"five": "protocol"}, {"five": "crashed"})
