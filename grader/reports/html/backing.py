"""What stands behind the scores of a record, as a page shows it: isolation, run, versions, digests.

The schema leaves the attestation, host and versions open, and some of it a worker said about itself: what has another
shape than expected is left out or shown as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from grader.model import Json
from grader.reports.html.filters import as_json, moment, seconds
from grader.reports.html.words import Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A setting of a sandbox: as asked for, and as seen."""

    name: str
    asked: str
    seen: str
    ok: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What is known of a task's isolation."""

    task: str
    green: bool
    comparisons: tuple[Comparison, ...]
    rest: Json

    @property
    def met(self) -> int:
        """Settings as asked."""
        return sum(row.ok for row in self.comparisons)


def attested(record: Json) -> tuple[Attested, ...]:
    """One entry for each sandbox of each task that ran; none in a candidate's copy."""
    return tuple(_attested(name, row) for name, row in _sandboxes(record) if isinstance(row, dict))


def _sandboxes(record: Json) -> Iterator[tuple[str, object]]:
    for task, row in record["run"]["attestation"].items():
        yield task, row
        beside = row.get("beside") if isinstance(row, dict) else None
        for number, other in enumerate(beside if isinstance(beside, list) else (), 2):
            yield f"{task} ({number})", other


def _attested(task: str, row: Json) -> Attested:
    lines = row.get("comparisons")
    comparisons = [_comparison(line) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
    return Attested(
        task=task,
        green=row.get("green") is True,
        comparisons=tuple(sorted(comparisons, key=lambda line: line.ok)),
        rest={name: row[name] for name in ("inside", "engine", "host_view") if row.get(name)},
    )


def _comparison(line: Json) -> Comparison:
    name, asked, seen = (_text(line.get(key, "")) for key in ("name", "asked", "seen"))
    return Comparison(name=name, asked=asked, seen=seen, ok=line.get("ok") is True)


def facts(record: Json, words: Words) -> list[tuple[str, str]]:
    """Where the scores come from, as names and values; what a candidate's copy leaves out is left out."""
    return [(name, value) for name, value in _facts(record, words) if value]


def _facts(record: Json, words: Words) -> Iterator[tuple[str, str]]:
    run = record["run"]
    yield words.submission, record["submission"]["id"]
    yield f"{words.submission} sha256", record["submission"]["sha256"]
    for task in record["tasks"]:
        yield f"{words.task} {task['task']} {task['version']}", task["sha256"] and f"sha256 {task['sha256']}"
    yield words.run, run["id"]
    yield words.started, moment(run["started_at"])
    yield words.duration, "" if run["duration_s"] is None else seconds(run["duration_s"])
    yield words.seed, "" if run["seed"] is None else str(run["seed"])
    yield words.backend, run["backend"]
    yield words.image, run["image"]
    yield words.gpu, _text(run["gpu"] or "")
    yield words.host, _pairs(run["host"])
    yield words.versions, _pairs(run["versions"])


def _pairs(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in row.items())


def _text(value: object) -> str:
    return value if isinstance(value, str) else as_json(value)
