"""Suites run by the judge's pytest: who pays for what, and that nothing but a finished test passes a check."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from grader.model import Entry, Visibility
from tests.fakes import Ends, Said
from tests.judge.conftest import RunSuite
from tests.judge.suites import FIVE, OTHER, five, raiser


def test_a_right_answer_passes(run_suite: RunSuite) -> None:
    ran = run_suite(FIVE, {"five": five})
    result = ran.checks["five"]
    assert ran.outcomes() == {"five": "passed"}
    assert (result.fraction, result.message, result.spec.visibility) == (1.0, "", Visibility.HIDDEN)
    assert ran.error == {}
    assert ran.done["facts"]["backend"] == "fake"


WRONG: dict[str, tuple[Any, str]] = {
    "wrong value": (lambda: torch.tensor([5, 4]), "failed"),
    "scalar": (lambda: torch.tensor(5), "failed"),
    "one element": (lambda: torch.tensor([5]), "failed"),
    "empty": (lambda: torch.tensor([], dtype=torch.int64), "failed"),
    "another dtype": (lambda: torch.tensor([5.0, 5.0]), "failed"),
    "bools": (lambda: torch.tensor([True, True]), "failed"),
    "None": (lambda: None, "failed"),
    "text": (lambda: "passed", "failed"),
    "an object": (object, "failed"),
    "complex": (lambda: torch.tensor([5 + 0j, 5]), "invalid"),
    "too large": (lambda: torch.ones(1).expand(10**6), "output_limit"),
    "too many values": (lambda: [["x"]] * 200_000, "output_limit"),
    "ValueError": (raiser(ValueError("no")), "raised"),
    "AssertionError": (raiser(AssertionError("assert 1 == 2")), "raised"),
    "a skip": (raiser(pytest.skip.Exception("skipped")), "raised"),
    "an xfail": (raiser(pytest.xfail.Exception("xfailed")), "raised"),
    "an exit of pytest": (raiser(pytest.exit.Exception("bye")), "raised"),
    "SystemExit": (raiser(SystemExit(0)), "raised"),
    "KeyboardInterrupt": (raiser(KeyboardInterrupt()), "raised"),
    "GeneratorExit": (raiser(GeneratorExit()), "raised"),
    "MemoryError": (raiser(MemoryError()), "memory"),
    "death": (raiser(Ends(Said("died", exit={"code": 0, "signal": None}))), "crashed"),
    "death by a signal": (raiser(Ends(Said("died", exit={"code": None, "signal": 11}))), "crashed"),
    "a broken protocol": (raiser(Ends(Said("protocol"))), "protocol"),
    "a flood": (raiser(Ends(Said("output_limit"))), "output_limit"),
}


@pytest.mark.parametrize(("function", "outcome"), WRONG.values(), ids=WRONG)
def test_everything_else_is_the_candidates_outcome(run_suite: RunSuite, function: Any, outcome: str) -> None:
    ran = run_suite(FIVE + OTHER, {"five": function, "other": lambda: 1}, points=20.0)
    assert ran.outcomes() == {"five": outcome, "other": "passed"}
    assert ran.checks["five"].fraction == 0.0
    assert ran.error == {}


@pytest.mark.parametrize(
    "functions", [{}, {"five": 5}, {"five": None}, {"Five": five}], ids=lambda functions: "+".join(functions) or "none"
)
def test_a_function_that_is_not_there_is_invalid(run_suite: RunSuite, functions: dict[str, Any]) -> None:
    assert run_suite(FIVE, functions).outcomes() == {"five": "invalid"}


def test_an_entry_that_cannot_be_used_is_invalid(run_suite: RunSuite) -> None:
    ran = run_suite(FIVE, {"five": five}, entry=Entry(problem="both toy.py and toy.ipynb"))
    assert ran.outcomes() == {"five": "invalid"}
    assert "both toy.py" in ran.checks["five"].message


# --- only a test that ran to its end passes ---------------------------------------------------------------

NOT_PASSED: dict[str, str] = {
    "skip mark": "@pytest.mark.skip\n@check('x')\ndef test(candidate): pass",
    "skipif mark": "@pytest.mark.skipif(True, reason='r')\n@check('x')\ndef test(candidate): pass",
    "skip inside": "@check('x')\ndef test(candidate): pytest.skip('no')",
    "skip in a fixture": "@pytest.fixture\ndef f(): pytest.skip('no')\n@check('x')\ndef test(f): pass",
    "xfail that fails": "@pytest.mark.xfail\n@check('x')\ndef test(candidate): require(False, 'no')",
    "xfail that passes": "@pytest.mark.xfail\n@check('x')\ndef test(candidate): pass",
    "strict xfail that passes": "@pytest.mark.xfail(strict=True)\n@check('x')\ndef test(candidate): pass",
    "xfail that does not run": "@pytest.mark.xfail(run=False)\n@check('x')\ndef test(candidate): pass",
    "xfail inside": "@check('x')\ndef test(candidate): pytest.xfail('no')",
    "assert": "@check('x')\ndef test(candidate): assert 1 == 2",
    "no credit": "@check('x')\ndef test(candidate): partial(0.0, 'no')",
}


@pytest.mark.parametrize("source", NOT_PASSED.values(), ids=NOT_PASSED)
def test_what_did_not_pass_earns_nothing(run_suite: RunSuite, source: str) -> None:
    ran = run_suite(source)
    assert (ran.outcomes(), ran.checks["x"].fraction) == ({"x": "failed"}, 0.0)
    assert ran.error == {}


OURS: dict[str, str] = {
    "an exception in a test": "@check('x')\ndef test(candidate): {}['key']",
    "a numpy error in a test": "@check('x')\ndef test(candidate): np.zeros(3).reshape(2, 2)",
    "an exception in a fixture": "@pytest.fixture\ndef f(): 1 / 0\n@check('x')\ndef test(f): pass",
    "an exception in a session fixture": (
        "@pytest.fixture(scope='session')\ndef f(): 1 / 0\n@check('x')\ndef test(f): pass"
    ),
    "an exception at the end of a fixture": (
        "@pytest.fixture\ndef f():\n    yield\n    1 / 0\n@check('x')\ndef test(f): pass"
    ),
    "a fixture that is not there": "@check('x')\ndef test(nothing): pass",
    "an argument that cannot be sent": "@check('x')\ndef test(candidate): candidate.call('five', object())",
    "an argument that is too large": "@check('x')\ndef test(candidate): candidate.call('five', list(range(70_000)))",
    "a dtype that cannot be sent": "@check('x')\ndef test(candidate): candidate.call('five', np.zeros(2, np.uint16))",
    "a partial credit of one": "@check('x')\ndef test(candidate): partial(1.0, 'all')",
    "an empty expectation": "@check('x')\ndef test(candidate): compare.equal(np.zeros(0), np.zeros(0))",
}


@pytest.mark.parametrize("source", OURS.values(), ids=OURS)
def test_a_mistake_of_the_suite_is_never_the_candidates(run_suite: RunSuite, source: str) -> None:
    assert run_suite(source, {"five": five}).outcomes() == {"x": "task_broken"}


BROKEN: dict[str, str] = {
    "import error": "import no_such_module\n" + FIVE,
    "syntax error": "def test(:\n",
    "error at import": "1 / 0\n",
    "no checks": "",
    "test without a mark": FIVE + "\ndef test_more(candidate): pass",
    "mark without an id": "@pytest.mark.check(criterion='all', points=10, title='t', hint='h')\ndef test(): pass",
    "unknown keyword": "@check('five', weight=2)\ndef test(): pass",
    "two marks": "@check('a')\n@check('b')\ndef test(): pass",
    "unknown criterion": "@check('a', criterion='style')\ndef test(): pass",
    "points that do not add up": "@check('a', points=9)\ndef test(): pass",
    "the same id twice": "@check('a', points=5)\ndef test(): pass\n@check('a', points=5)\ndef test_b(): pass",
    "depends on a later check": "@check('a', 5, after=('b',))\ndef test(): pass\n@check('b', 5)\ndef test_b(): pass",
    "one check for two tests": "@check('a', 5)\n@pytest.mark.parametrize('x', [1, 2])\ndef test(x): pass",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_a_suite_that_contradicts_its_rubric_runs_nothing(run_suite: RunSuite, source: str) -> None:
    ran = run_suite(source, {"five": five})
    assert ran.error["kind"] == "TaskBroken"
    assert ran.checks == {}


@pytest.mark.parametrize("how", ["pytest.exit('bye')", "raise KeyboardInterrupt", "raise SystemExit(0)"])
def test_a_suite_that_ends_its_own_run_is_broken(run_suite: RunSuite, how: str) -> None:
    ran = run_suite(f"@check('a', 5)\ndef test_a(candidate): {how}\n@check('b', 5)\ndef test_b(candidate): pass")
    broken = ran.error.get("kind") == "TaskBroken" or "task_broken" in ran.outcomes().values()
    assert broken
    assert "failed" not in ran.outcomes().values()


def test_exactly_the_collected_checks_have_results(run_suite: RunSuite) -> None:
    public = "@check('p', 4)\ndef test_p(candidate): pass\n"
    ran = run_suite("@check('h', 6)\ndef test_h(candidate): require(False, 'no')", public=public)
    assert ran.order == ["p", "h"], "the public suite first"
    assert ran.outcomes() == {"p": "passed", "h": "failed"}
    assert ran.checks["p"].spec.visibility is Visibility.PUBLIC


def test_the_public_suite_alone_need_not_add_up(run_suite: RunSuite) -> None:
    public = "@check('p', 4)\ndef test_p(candidate): pass\n"
    assert run_suite(FIVE, public=public, suites=("public",)).outcomes() == {"p": "passed"}
