"""The model's opinion stands beside the scores: it changes none, and calls for a person where the two differ."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.config import Settings
from grader.errors import UsageError
from grader.model import Report, ScoredQuestion
from grader.pipeline import Request, grade
from grader.reports.as_json import from_json, to_json
from grader.reports.as_text import render
from grader.reports.audience import for_candidate
from grader.schemas import violation
from grader.task import load_tasks
from grader.written.second import is_wanted
from tests.written.llm.server import Answer, Script, serving, verdict

ROOT = Path(__file__).resolve().parents[3]
GOOD = (ROOT / "reference" / "written" / "q01.en.md").read_text(encoding="utf-8")
QUOTE = " ".join(GOOD.split("\n\n")[-1].split()[:6])


@pytest.fixture
def graded(make_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Report]:
    """Grades q01 with a scripted endpoint; None is no endpoint."""

    def run(script: Script | None, answer: str = GOOD) -> Report:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("grader.written.llm.client.FIRST_PAUSE_S", 0.01)
        folder = make_folder("ada", {"answers/q01.md": answer})
        tasks = load_tasks(ROOT / "tasks", ["written"])
        if script is None:
            return grade(folder, Request(tasks=tasks, settings=Settings())).report
        with serving(script) as server:
            settings = Settings(llm_base_url=server.url, llm_model="m", llm_api_key="sk-secret", llm_input_price=1.0)
            return grade(folder, Request(tasks=tasks, settings=settings)).report

    return run


def always(value: str, quote: str = QUOTE) -> Script:
    return lambda _body, _number: Answer(verdict(value, quote if value in ("met", "partial") else ""))


def question(report: Report) -> ScoredQuestion:
    return report.tasks[0].questions[0]


def test_agreement_changes_nothing_but_is_kept(graded: Callable[..., Report]) -> None:
    alone, report = graded(None), graded(always("met"))
    row = question(report)
    assert row.score == question(alone).score
    assert report.score == alone.score
    assert row.flags == question(alone).flags
    assert row.llm
    assert (row.llm.model, row.llm.share) == ("m", 1.0)
    assert row.llm.calls == len(row.points)
    assert row.llm.cost == pytest.approx(row.llm.input_tokens / 1e6)
    for point in row.points:
        assert point.llm
        assert point.llm.verdict == "met"
        assert GOOD[point.llm.evidence[0].start : point.llm.evidence[0].end] == point.llm.evidence[0].quote


def test_disagreement_calls_for_a_person(graded: Callable[..., Report]) -> None:
    alone, row = question(graded(None)), question(graded(always("unmet")))
    assert row.score == alone.score
    assert "llm_disagrees" in row.flags
    assert row.needs_review


def test_an_endpoint_that_fails_leaves_the_offline_scores_and_says_so(graded: Callable[..., Report]) -> None:
    alone, report = graded(None), graded(lambda *_: Answer(status=500, raw=b""))
    row = question(report)
    assert (row.score, report.status) == (question(alone).score, alone.status)
    assert "llm_failed" in row.flags
    assert all(point.llm and "500" in point.llm.error for point in row.points)
    assert "sk-secret" not in json.dumps(to_json(report))


def test_the_report_holds_it_for_interviewers_only(graded: Callable[..., Report]) -> None:
    report = graded(always("met"))
    record = to_json(report)
    assert violation(record, "report") == ""
    assert from_json(json.loads(json.dumps(record))) == report
    assert "language model: met. because" in render(record)
    assert "语言模型" in render(record, "zh")
    copy: dict[str, Any] = for_candidate(record)
    assert violation(copy, "report") == ""
    assert copy["tasks"][0]["questions"][0]["llm"] is None
    assert all(point["llm"] is None for point in copy["tasks"][0]["questions"][0]["points"])


def test_what_is_not_answered_is_not_asked(graded: Callable[..., Report]) -> None:
    asked: list[int] = []

    def script(_body: dict[str, Any], number: int) -> Answer:
        asked.append(number)
        return Answer(verdict("unmet"))

    report = graded(script, "I would clip gradients. " * 3)
    assert len(asked) == len(question(report).points)
    assert all(row.llm is None for row in report.tasks[0].questions[1:])


def test_half_a_configuration_is_refused() -> None:
    with pytest.raises(UsageError, match="GRADER_LLM_MODEL"):
        is_wanted(Settings(llm_base_url="http://127.0.0.1:1/v1"))
    assert not is_wanted(Settings())
