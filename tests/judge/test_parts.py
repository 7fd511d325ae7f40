"""Parts of a task that several judges ran, put together to what one judge would have said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader.errors import Ungraded
from grader.judge.crew import Crew
from grader.judge.job import MAX_PICTURES, Job, artifact_to_json, check_to_json
from grader.judge.parts import Part, put_together
from grader.model import ArtifactFile, CheckResult, CheckSpec, Limits, Outcome, Text, Visibility
from tests.judge.suites import job_for, task_at

GROUPS = [{"a": 0, "d": 3}, {"b": 1}, {"c": 2}]
"""Ids and places in the suite."""
ONE = [{"z": 0}]


def job(task_cpu_s: float = 100.0, **more: Any) -> Job:
    return job_for(task_at(Path("nowhere"), 10.0, limits=Limits(task_cpu_s=task_cpu_s)), **more)


def result(name: str, *, cpu_s: float = 1.0, outcome: Outcome = Outcome.PASSED) -> CheckResult:
    spec = CheckSpec(
        id=name, criterion="all", points=1.0, title=Text(en=name), hint=Text(en="hint"), visibility=Visibility.HIDDEN
    )
    return CheckResult(spec=spec, outcome=outcome, fraction=float(outcome is Outcome.PASSED), cpu_s=cpu_s)


def part(
    *groups: tuple[int, list[tuple[CheckResult, tuple[int, int, int]]]],
    diagnosis: list[Mapping[str, Any]] | None = None,
    pictures: Mapping[str, tuple[int, int]] | None = None,
    content: bytes = b"",
    facts: Mapping[str, Any] | None = None,
) -> Part:
    """What a judge that ran these groups says: checks with calls, processes and deaths."""
    told = Part()

    def say(event: str, **fields: Any) -> None:
        told.take(json.dumps({"event": event, **fields}).encode())

    for number, rows in groups or [(0, [(result("z"), (1, 1, 0))])]:
        told.begin(number)
        for check, trace in rows:
            say("check", check=check_to_json(check), trace=trace)
    for name, ranks in (pictures or {}).items():
        file = ArtifactFile(name=name, media_type="image/svg+xml", suffix=".svg", content=content)
        say("artifact", artifact=artifact_to_json(file), ranks=ranks)
    say("done", facts=facts, cpu_s=2.0, max_rss_bytes=7, diagnosis=diagnosis or [], notes=[])
    return told


def suspicion(name: str, confidence: float, rank: int, evidence: str) -> Mapping[str, Any]:
    text = {"en": "it", "zh": ""}
    return {
        "id": name, "bug": text, "question": text, "confidence": confidence, "evidence": evidence, "rank": rank
    }  # fmt: skip


def test_checks_are_in_the_order_of_the_suite_whoever_ran_them() -> None:
    first = part((0, [(result("a"), (1, 1, 0)), (result("d"), (1, 1, 0))]), (2, [(result("c"), (1, 1, 0))]))
    other = part((1, [(result("b"), (1, 1, 0))]))
    whole = put_together(job(), GROUPS, [first, other], 5.0)
    assert [check.spec.id for check in whole.checks] == ["a", "b", "c", "d"]
    assert (whole.resources.cpu_s, whole.resources.max_rss_bytes, whole.resources.wall_s) == (4.0, 7, 5.0)


def test_what_was_attested_of_each_sandbox_is_kept() -> None:
    facts = [
        {"backend": "docker", "isolated": good, "image": "i", "attestation": {"green": good, "comparisons": [name]}}
        for name, good in (("first", True), ("second", True), ("third", False))
    ]
    two, three = (put_together(job(), ONE, [part(facts=one) for one in facts[:count]], 1.0).facts for count in (2, 3))
    assert two
    assert three
    assert (two.isolated, three.isolated) == (True, False)
    assert two.attestation == {
        "green": True, "comparisons": ["first"], "beside": [{"green": True, "comparisons": ["second"]}]
    }  # fmt: skip
    assert [row["comparisons"] for row in three.attestation["beside"]] == [["second"], ["third"]]
    alone = put_together(job(), ONE, [part(facts=facts[0])], 1.0).facts
    assert alone
    assert "beside" not in alone.attestation


def test_processes_that_die_are_counted_over_all_judges() -> None:
    first = part((0, [(result("a"), (1, 1, 2)), (result("d"), (1, 1, 1))]))
    other = part((1, [(result("b"), (0, 0, 0))]), (2, [(result("c"), (1, 1, 1))]))
    whole = put_together(job(), GROUPS, [first, other], 1.0)
    assert [check.outcome.value for check in whole.checks] == ["passed", "passed", "crashed", "passed"]
    assert whole.checks[2].message == "not run: the code ended its process 3 times before"
    assert whole.checks[2].cpu_s == 0


def test_the_time_of_the_task_is_that_of_all_judges() -> None:
    first = part((0, [(result("a", cpu_s=4.0), (1, 1, 0)), (result("d", cpu_s=4.0), (1, 1, 0))]))
    other = part((1, [(result("b", cpu_s=4.0), (1, 1, 0))]), (2, [(result("c", cpu_s=0.0), (0, 0, 0))]))
    whole = put_together(job(10.0), GROUPS, [first, other], 1.0)
    assert [check.outcome.value for check in whole.checks] == ["passed", "timeout", "passed", "passed"]
    assert "used up" in whole.checks[1].message
    assert put_together(job(12.0), GROUPS, [first, other], 1.0).checks[1].outcome is Outcome.PASSED


def test_a_task_is_graded_whole_or_not_at_all() -> None:
    first = part((0, [(result("a"), (1, 1, 0)), (result("d"), (1, 1, 0))]), (1, []))
    with pytest.raises(Ungraded, match=r"2 checks have no result: \['b', 'c'\]"):
        put_together(job(), GROUPS, [first], 1.0)
    with pytest.raises(Ungraded, match="ended early"):
        put_together(job(), [], [part()], 1.0)


def test_one_judge_alone_has_kept_the_limits_itself() -> None:
    rows = [(result(name, cpu_s=50.0), (1, 1, 3)) for name in ("a", "d")]
    whole = put_together(job(10.0), [{"a": 0, "d": 1}], [part((0, rows))], 1.0)
    assert [check.outcome.value for check in whole.checks] == ["passed", "passed"]


def test_of_two_suspicions_the_more_confident_counts_and_of_equals_the_first() -> None:
    first = part(diagnosis=[suspicion("slip", 0.5, 3, "late"), suspicion("other", 0.9, 0, "sure")])
    other = part(diagnosis=[suspicion("slip", 0.5, 2, "early"), suspicion("other", 0.4, 1, "unsure")])
    found = put_together(job(), ONE, [first, other], 1.0).diagnosis
    assert [(row.id, row.evidence) for row in found] == [("other", "sure"), ("slip", "early")]


def test_of_two_pictures_the_later_counts_in_the_place_of_the_earlier() -> None:
    first = part(pictures={"loss": (4, 4), "shown": (5, 5)}, content=b"first")
    other = part(pictures={"loss": (1, 6), "other": (3, 3)}, content=b"other")
    files = put_together(job(), ONE, [first, other], 1.0).artifacts
    assert [(file.name, file.content) for file in files] == [
        ("loss", b"other"), ("other", b"other"), ("shown", b"first")
    ]  # fmt: skip


def test_there_are_never_more_pictures_than_one_judge_may_keep() -> None:
    many = {f"p{number}": (2 * number, 2 * number) for number in range(MAX_PICTURES)}
    odd = {f"q{number}": (2 * number + 1, 2 * number + 1) for number in range(MAX_PICTURES)}
    files = put_together(job(), ONE, [part(pictures=many), part(pictures=odd)], 1.0).artifacts
    assert len(files) == MAX_PICTURES
    assert [file.name for file in files[:3]] == ["p0", "q0", "p1"]


# --- who has which group ------------------------------------------------------------------------------------


@pytest.fixture
def busy() -> Crew:
    """A crew whose first judge has been at the first of three groups for long."""
    crew = Crew(job())
    crew.announce(GROUPS)
    assert crew.turn(crew.first) == 0
    crew._since -= 100
    return crew


def test_one_helper_is_asked_for_each_group_that_waits(busy: Crew) -> None:
    claimed = [busy.claim() for _ in range(4)]
    assert [one.run_id if one else None for one in claimed] == ["r-1", "r-2", None, None]


@pytest.mark.parametrize("more", [{"gpus": ("GPU-1",)}])
def test_a_device_is_lent_to_one_judge(more: Mapping[str, Any]) -> None:
    crew = Crew(job(**more))
    crew.announce(GROUPS)
    crew.turn(crew.first)
    crew._since -= 100
    assert crew.claim() is None


def test_nobody_helps_before_the_suite_is_known_or_with_short_work() -> None:
    crew = Crew(job())
    assert crew.claim() is None
    crew.announce(GROUPS)
    assert crew.claim() is None
    crew.turn(crew.first)
    assert crew.claim() is None, "it has only begun"


def test_the_first_judge_stays_until_the_others_have_said_all(busy: Crew) -> None:
    helper = Part()
    assert busy.claim()
    assert [busy.turn(helper), busy.turn(busy.first), busy.turn(helper), busy.turn(busy.first)] == [1, 2, None, None]
    assert busy.is_done(helper)
    assert not busy.is_done(busy.first)
    helper.take(json.dumps({"event": "done"}).encode())
    assert busy.is_done(busy.first)


def test_what_a_helper_did_is_done_again_unless_it_said_all(busy: Crew) -> None:
    helper = Part()
    assert busy.claim()
    assert [busy.turn(helper), busy.turn(helper)] == [1, 2]
    busy.leave(helper)
    assert busy.claim() is None, "who failed once is not asked again"
    assert [busy.turn(busy.first) for _ in range(3)] == [1, 2, None]
    assert busy.is_done(busy.first)


def test_a_helper_that_came_for_nothing_leaves_no_trace(busy: Crew) -> None:
    helper = Part()
    assert busy.claim()
    assert [busy.turn(busy.first), busy.turn(busy.first), busy.turn(helper)] == [1, 2, None]
    assert busy.is_done(helper)
    helper.take(json.dumps({"event": "done"}).encode())
    busy.leave(helper)
    assert busy.is_done(busy.first)


def test_judges_must_see_one_suite(busy: Crew) -> None:
    busy.announce([dict(group) for group in GROUPS])
    with pytest.raises(Ungraded, match="changed while it ran"):
        busy.announce(GROUPS[:2])


def test_a_check_is_told_of_once() -> None:
    told: list[str] = []
    crew = Crew(job(), lambda check: told.append(check.spec.id))
    for name in ("a", "b", "a"):
        crew.told(result(name))
    assert told == ["a", "b"]
