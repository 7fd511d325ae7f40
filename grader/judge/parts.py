"""What judges report, each a part of a task, and how the parts make one result: as one judge would have given it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader import errors
from grader.errors import GraderError, Ungraded
from grader.judge.job import (
    MAX_PICTURES,
    Job,
    artifact_from_json,
    check_from_json,
    diagnosis_from_json,
    facts_from_json,
)
from grader.judge.trace import MAX_REPLACEMENTS, TIME_LINE, Trace, deaths_line
from grader.model import (
    ArtifactFile,
    CheckResult,
    Diagnosis,
    Json,
    Limits,
    Outcome,
    Resources,
    SandboxFacts,
    TaskResult,
    TaskStatus,
)

Groups = Sequence[Mapping[str, int]]
"""Of a suite's checks: their ids, with their places in the suite."""


@dataclass(eq=False, slots=True)
class Part:
    """The events of one judge."""

    idle: bool = False
    """It has nothing to do."""
    done: dict[int, list[tuple[CheckResult, Trace]]] = field(default_factory=dict)
    """By the number of each group that it was given, in order: its checks, and what each did."""
    pictures: list[tuple[list[int], ArtifactFile]] = field(default_factory=list)
    """With the ranks of the first and the last check that kept it."""
    files: list[ArtifactFile] = field(default_factory=list)
    """That are no pictures."""
    error: GraderError | None = None
    final: Json = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """True once the judge said its last word, and nothing of ours went wrong."""
        return bool(self.final) and self.error is None

    def begin(self, number: int) -> None:
        """It is given a group."""
        self.done[number] = []
        self.idle = False

    def take(self, line: bytes) -> CheckResult | Groups | None:
        """Takes one event; gives the check that it tells of, or the groups as this judge sees them."""
        event: dict[str, Any] = json.loads(line)
        match event["event"]:
            case "groups":
                groups: Groups = event["groups"]
                return groups
            case "idle":
                self.idle = True
            case "check":
                check = check_from_json(event["check"])
                self.done[next(reversed(self.done))].append((check, Trace(*event["trace"])))
                return check
            case "artifact":
                file = artifact_from_json(event["artifact"])
                if event["ranks"] is None:
                    self.files.append(file)
                else:
                    self.pictures.append((event["ranks"], file))
            case "error":
                kind = getattr(errors, event["kind"], Ungraded)
                self.error = kind(event["message"], hint=event["hint"])
            case _:
                self.final = event
        return None


def put_together(job: Job, groups: Groups, parts: Sequence[Part], wall_s: float) -> TaskResult:
    """The result of a task: the first part is that of the judge that was there from the beginning to the end.

    Raises the error that it told of, and Ungraded where a check has no result: a task is graded whole or not at all.
    """
    first = parts[0]
    if first.error is not None:
        raise first.error
    places = {name: place for group in groups for name, place in group.items()}
    rows = [row for number in range(len(groups)) for part in parts for row in part.done.get(number, ())]
    absent = sorted(places.keys() - {check.spec.id for check, _ in rows})
    if absent or not rows:
        message = f"the judge of task {job.task.id} ended early: {len(absent)} checks have no result: {absent[:3]}"
        raise Ungraded(message, hint="run it again")
    checks = _cut(rows, job.task.limits) if len(parts) > 1 else [check for check, _ in rows]
    broken = [check for check in checks if check.outcome.ours]
    return TaskResult(
        task=job.task,
        status=TaskStatus.UNGRADED if broken else TaskStatus.GRADED,
        checks=tuple(sorted(checks, key=lambda check: places[check.spec.id])),
        resources=Resources(
            wall_s=round(wall_s, 3),
            cpu_s=round(sum(part.final["cpu_s"] for part in parts), 3),
            max_rss_bytes=max(int(part.final["max_rss_bytes"]) for part in parts),
        ),
        facts=_facts(parts),
        reason=f"check {broken[0].spec.id}: {broken[0].message}" if broken else "",
        diagnosis=_suspicions(parts),
        artifacts=(*_pictures(parts), *first.files),
        notes=tuple(first.final["notes"]),
    )


def _cut(rows: Sequence[tuple[CheckResult, Trace]], limits: Limits) -> list[CheckResult]:
    """The checks, without what one judge alone would not have run: limits hold for the task, however many share it."""
    kept: list[CheckResult] = []
    deaths, cpu_s = 0, 0.0
    for check, trace in rows:
        if trace.opened and deaths > MAX_REPLACEMENTS:
            kept.append(_not_run(check, Outcome.CRASHED, deaths_line(deaths)))
        elif trace.calls and cpu_s + check.cpu_s > limits.task_cpu_s:
            kept.append(_not_run(check, Outcome.TIMEOUT, TIME_LINE))
        else:
            kept.append(check)
        deaths, cpu_s = deaths + trace.deaths, cpu_s + check.cpu_s
    return kept


def _not_run(check: CheckResult, outcome: Outcome, line: str) -> CheckResult:
    return CheckResult(spec=check.spec, outcome=outcome, fraction=0.0, message=line)


def _facts(parts: Sequence[Part]) -> SandboxFacts | None:
    """Of the first judge's sandbox, with what was attested of the others."""
    facts, *others = (facts_from_json(part.final["facts"]) for part in parts)
    beside = [one for one in others if one is not None]
    if facts is None or not beside:
        return facts
    attestation = facts.attestation | {"beside": [one.attestation for one in beside]}
    return replace(facts, isolated=all(one.isolated for one in (facts, *beside)), attestation=attestation)


def _suspicions(parts: Sequence[Part]) -> tuple[Diagnosis, ...]:
    """As `Suspicions.found`: of two with one id the more confident, of equals what was said first."""
    rows = [row for part in parts for row in part.final["diagnosis"]]
    best: dict[str, Json] = {}
    for row in sorted(rows, key=lambda row: (-row["confidence"], row["id"], row["rank"])):
        best.setdefault(row["id"], {name: value for name, value in row.items() if name != "rank"})
    return tuple(map(diagnosis_from_json, best.values()))


def _pictures(parts: Sequence[Part]) -> tuple[ArtifactFile, ...]:
    """As `Evidence.pictures`: of two with one name the later, where the earlier one was; no more than there may be."""
    rows = [row for part in parts for row in part.pictures]
    latest = {file.name: file for _, file in sorted(rows, key=lambda row: row[0][1])}
    names = dict.fromkeys(file.name for _, file in sorted(rows, key=lambda row: row[0][0]))
    return tuple(latest[name] for name in names)[:MAX_PICTURES]
