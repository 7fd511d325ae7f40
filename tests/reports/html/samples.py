"""Results for pages: one with something in every field, and batches of any size with scores that differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.model import Json, Outcome, Visibility
from grader.reports.as_json import to_json
from grader.schemas import violation
from tests.samples import check, full_report, report

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'
ANSWER = "First I clip the norm, then I lower the rate."
HUMAN = {"points": 2.0, "reason": "said it aloud", "reviewer": "Bo Li", "at": "2025-01-02T09:00:00+00:00"}
OPINION = {
    "verdict": "partial", "evidence": [{"quote": "clip the norm", "start": 8, "end": 21}], "reason": "half of it",
    "samples": 3, "agreement": 0.667, "flags": ["llm_unsure"], "error": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A result as `site` takes it."""

    path: Path
    view: Json

    @property
    def id(self) -> str:
        """Of the submission."""
        name: str = self.view["submission"]["id"]
        return name


def full() -> Json:
    """A record after a review, with every kind of row: no list is empty and no text either."""
    record = to_json(full_report())
    task = record["tasks"][0]
    written = json.loads(json.dumps(task))
    task |= {"questions": [], "notes": ["cell 3 raised"]}
    task["checks"][0] |= {"human": HUMAN, "output": "epoch 1", "location": "toy.py:3", "exception": "ValueError"}
    task["artifacts"] = [
        {"name": "loss", "media_type": "image/svg+xml", "path": "artifacts/loss.svg"},
        {"name": "samples", "media_type": "image/png", "path": "artifacts/samples.png"},
        {"name": "notebook", "media_type": "application/x-ipynb+json", "path": "artifacts/toy.ipynb"},
    ]
    task["reviewed_score"] = record["reviewed_score"] = {"earned": 60.0, "possible": 100.0, "percent": 60.0}
    written |= {"task": "written", "checks": [], "diagnosis": [], "artifacts": [], "reason": "an answer is too long"}
    question = written["questions"][0]
    written["criteria"] = [
        {"id": "q01", "title": "How?", "title_zh": "怎么做？", "earned": 1.0, "possible": 2.0},
        {"id": "q02", "title": "Why?", "title_zh": "为什么？", "earned": 0.0, "possible": 2.0},
    ]
    question["points"][0] |= {"human": None, "llm": OPINION, "verdict": "partial"}
    question["points"].append(question["points"][0] | {"id": "p2", "human": HUMAN, "llm": OPINION | {"error": "no"}})
    model = {"model": "m", "share": 0.5, "calls": 1, "cached": 0, "input_tokens": 1, "output_tokens": 1, "cost": 0.0}
    question |= {"flags": ["stuffed", "unknown_flag"], "llm": model}
    written["questions"].append(question | {"id": "q02", "points": [], "flags": ["unanswered"], "language": "none"})
    record["tasks"] = [task, written]
    record["review"] = {"in_effect": 2, "set_aside": ["toy/old: the report has no such place"]}
    lines = [{"name": "network", "asked": "none", "seen": "none", "ok": True}]
    record["run"]["attestation"] = {"toy": {"green": True, "comparisons": lines, "inside": {"uid": [1, 1]}}}
    record["run"]["isolated"] = False
    record["reason"] = "because"
    assert violation(record, "report") == ""
    return record


def with_answer(record: Json) -> Json:
    """The record with the text of its answer, as reports of later versions hold it."""
    question = record["tasks"][1]["questions"][0]
    question["answer"] = ANSWER
    for point in question["points"]:
        point["evidence"] = [{"quote": "clip the norm", "start": 8, "end": 21}]
    return record


def mapped(value: Any, change: Callable[[str], str], keep: frozenset[str] = frozenset()) -> Any:
    """A JSON value with every text changed but for those under the keys `keep`."""
    if isinstance(value, dict):
        return {key: part if key in keep else mapped(part, change, keep) for key, part in value.items()}
    if isinstance(value, list):
        return [mapped(part, change, keep) for part in value]
    return change(value) if isinstance(value, str) else value


def held(folder: Path, record: Json) -> Held:
    """A result that lies in `folder`, with its pictures."""
    (folder / "artifacts").mkdir(parents=True, exist_ok=True)
    (folder / "artifacts" / "loss.svg").write_bytes(SVG)
    (folder / "artifacts" / "samples.png").write_bytes(PNG)
    return Held(path=folder / "report.json", view=record)


def batch(folder: Path, count: int) -> list[Held]:
    """Results with falling scores: `learning` separates people, `contract` goes the other way."""
    return [held(folder / name, _one(name, index / max(count - 1, 1))) for index, name in _names(count)]


def _names(count: int) -> list[tuple[int, str]]:
    return [(index, f"c{index:03d}") for index in range(count)]


def _one(name: str, place: float) -> Json:
    outcome = Outcome.PASSED if place == 0 else Outcome.FAILED if place < 0.7 else Outcome.TIMEOUT
    record = to_json(
        report(
            check("shape", visibility=Visibility.PUBLIC, outcome=Outcome.FAILED, fraction=place / 2),
            check("accuracy", "learning", 60.0, outcome=outcome, fraction=1 - place, message="accuracy below 0.9"),
        )
    )
    record["submission"] |= {"id": name, "candidate": f"Person {name[1:]}"}
    return record
