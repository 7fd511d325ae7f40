"""What the language-model judge takes and gives: frozen values, no behaviour beyond their own sums."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.model import Evidence


class Verdict(StrEnum):
    """What an answer does with one point."""

    MET = "met"
    PARTIAL = "partial"
    UNMET = "unmet"
    CANNOT_ASSESS = "cannot_assess"

    @property
    def share(self) -> float:
        """The share of the point's weight; `cannot_assess` earns nothing and asks for a person."""
        return {Verdict.MET: 1.0, Verdict.PARTIAL: 0.5}.get(self, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where an OpenAI-compatible server answers, and how it is asked."""

    base_url: str
    """Up to and without `/chat/completions`, e.g. "http://127.0.0.1:8000/v1"."""
    model: str
    api_key: str = ""
    timeout_s: float = 60.0
    """For one attempt, from connecting to the last byte."""
    attempts: int = 3
    concurrency: int = 4
    max_tokens: int = 400
    input_price: float = 0.0
    """Per million tokens, in whatever currency the user thinks in."""
    output_price: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What was asked and what it cost."""

    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """The sums."""
        return Usage(
            calls=self.calls + other.calls,
            cached=self.cached + other.cached,
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            cost=self.cost + other.cost,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointOpinion:
    """The model's opinion on one point. `error` says why there is none."""

    point: str
    verdict: Verdict = Verdict.CANNOT_ASSESS
    evidence: Evidence | None = None
    """The quote as it stands in the answer."""
    reason: str = ""
    samples: int = 0
    agreement: float = 0.0
    """Share of the samples that gave this verdict."""
    flags: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The model's opinion on one answer."""

    question: str
    model: str
    points: tuple[PointOpinion, ...]
    usage: Usage = Usage()

    @property
    def failed(self) -> tuple[str, ...]:
        """The points on which the endpoint gave none: the offline grader's word stands alone there."""
        return tuple(point.point for point in self.points if point.error)
