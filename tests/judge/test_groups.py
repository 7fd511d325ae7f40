"""Which checks stay together: those that share what lives in one process, or whose order matters."""

from __future__ import annotations

import pytest

from tests.judge.conftest import RunSuite

FIXTURES = """
@pytest.fixture(scope="session")
def one(shared): return shared(lambda candidate: 1)

@pytest.fixture(scope="session")
def two(shared): return shared(lambda candidate: 2)

@pytest.fixture(scope="session")
def by_one(one): return lambda: one()

@pytest.fixture(scope="session")
def data(drawn): return drawn.random()

@pytest.fixture(scope="session")
def more(drawn): return drawn.random()

@pytest.fixture(scope="module")
def of_the_file(): return []

"""


def checks(*arguments: str, after: str = "") -> str:
    """Checks a, b, c ... whose tests take these arguments; the last one runs after the check `after`."""
    points = [10 - len(arguments) + 1, *[1] * (len(arguments) - 1)]
    lines = []
    for name, point, taken in zip("abcdefgh", points, arguments, strict=False):
        late = f", after=({after!r},)" if after and name == "abcdefgh"[len(arguments) - 1] else ""
        lines += [f"@check({name!r}, {point}{late})", f"def test_{name}({taken}): pass", ""]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "groups"),
    [
        (("", "rng", "data"), ["abc"]),
        (("one", "two", "by_one", ""), ["d", "ac", "b"]),
        (("one", "two", "one, two"), ["abc"]),
        (("one, data", "two, data", "data"), ["c", "a", "b"]),
        (("one, data", "two, more", "one"), ["abc"]),
        (("data", "one, more", "two"), ["ab", "c"]),
        (("of_the_file", "one", "two, of_the_file", ""), ["d", "ac", "b"]),
        (("one", "two", "request"), ["abc"]),
        (("shared", "shared", ""), ["c", "a", "b"]),
        (("drawn, one", "drawn, two"), ["ab"]),
        (("tmp_path", "one", "two"), ["a", "b", "c"]),
    ],
)
def test_checks_that_have_something_in_common_are_one_group(
    run_suite: RunSuite, arguments: tuple[str, ...], groups: list[str]
) -> None:
    ran = run_suite(FIXTURES + checks(*arguments))
    assert ["".join(group) for group in ran.groups] == groups
    assert "".join(ran.order) == "".join(groups)
    assert set(ran.outcomes().values()) == {"passed"}


def test_a_check_is_in_the_group_of_what_it_runs_after(run_suite: RunSuite) -> None:
    ran = run_suite(FIXTURES + checks("", "one", "", "two", after="a"))
    assert ["".join(group) for group in ran.groups] == ["acd", "b"]


def test_each_suite_has_a_group_of_what_shares_nothing(run_suite: RunSuite) -> None:
    public = '@check("p", 1)\ndef test_p(): pass\n\n@check("q", 1)\ndef test_q(shared): shared(lambda candidate: 1)()'
    ran = run_suite(FIXTURES + checks("", "two"), public=public, points=12.0)
    assert [list(group) for group in ran.groups] == [["p"], ["a"], ["q"], ["b"]]


def test_what_is_made_for_a_file_or_the_run_is_made_once_for_a_group(run_suite: RunSuite) -> None:
    made = """
MADE = []

@pytest.fixture(scope="module")
def once():
    MADE.append("made")
    yield MADE
    MADE.append("ended")

@pytest.fixture(scope="session")
def throughout():
    MADE.append("run")
    yield MADE
    MADE.append("run ended")
"""
    tests = """
@check("a", 2)
def test_a(once): require(once == ["made"], str(once))
@check("b", 2)
def test_b(one, throughout): require(throughout[-1] == "run", str(throughout))
@check("c", 2)
def test_c(once): require(once == ["made"], str(once))
@check("d", 4)
def test_d(two, throughout): require(throughout == ["made", "ended", "run"], str(throughout))
"""
    ran = run_suite(made + FIXTURES + tests)
    assert [list(group) for group in ran.groups] == [["a", "c"], ["b"], ["d"]]
    assert ran.outcomes() == dict.fromkeys("abcd", "passed"), [check.message for check in ran.checks.values()]


def test_the_seeds_of_a_group_do_not_depend_on_what_ran_before_it(run_suite: RunSuite) -> None:
    from tests.fakes import FunctionBrain

    def seeds(tests: str) -> list[int]:
        brain = FunctionBrain({"five": lambda: 5})
        run_suite(FIXTURES + tests, brain=brain, points=4.0)
        return [head["seed"] for head in brain.asked]

    last = '@check("z", 2)\ndef test_z(two, candidate): candidate.call("five")\n'
    few = '@check("a", 2)\ndef test_a(one, candidate): candidate.call("five")\n'
    many = '@check("a", 2)\ndef test_a(one, candidate): [candidate.call("five") for _ in range(3)]\n'
    assert seeds(few + last)[-2:] == seeds(many + last)[-2:]
    assert len(set(seeds(many + last))) == len(seeds(many + last))


@pytest.mark.parametrize("way", ["pytest.exit('enough')", "raise KeyboardInterrupt"])
def test_a_run_that_ends_between_two_groups_is_not_complete(run_suite: RunSuite, way: str) -> None:
    ending = f"@pytest.fixture\ndef ending(one):\n    yield one\n    {way}\n\n"
    ran = run_suite(FIXTURES + ending + checks("", "ending", "two"))
    assert ran.order[:1] == ["a"]
    assert "c" not in ran.checks
    assert ran.error["kind"] == "TaskBroken"
    assert "ended early" in ran.error["message"]
