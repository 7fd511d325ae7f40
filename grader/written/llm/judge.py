"""Marks one answer point by point: one call each, more only where the first is in doubt, the sum in code."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from jsonschema import Draft202012Validator

from grader.model import Evidence, Json
from grader.text import sanitize_line
from grader.written.llm import prompt
from grader.written.llm.cache import Cache, key_of
from grader.written.llm.client import Completion, EndpointError
from grader.written.llm.model import Endpoint, Opinion, PointOpinion, Usage, Verdict
from grader.written.llm.quotes import find_quote, is_from
from grader.written.rubric import Exemplar, Point, Rubric

SAMPLES: Final = 3
"""Opinions on a point whose first one is `partial` or `cannot_assess`; a majority decides."""
DOUBTFUL: Final = frozenset({Verdict.PARTIAL, Verdict.CANNOT_ASSESS})
REASON_CHARS: Final = 300
_CHECK = Draft202012Validator(prompt.SCHEMA)


class Completer(Protocol):
    """What a judge needs of a client."""

    def complete(self, messages: list[Json], schema: Json, *, seed: int) -> Completion:
        """See client.Client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """One endpoint that gives its opinion on answers. `on_point` is told of each finished point."""

    endpoint: Endpoint
    client: Completer
    cache: Cache = field(default_factory=Cache)
    on_point: Callable[[str, PointOpinion], None] | None = None

    def opinion(self, rubric: Rubric, answer: str, exemplars: Sequence[Exemplar] = ()) -> Opinion:
        """The model's opinion on `answer`. Never raises for what an endpoint does: a point then has an `error`."""

        def work(point: Point) -> tuple[PointOpinion, Usage]:
            found, usage = self._point(rubric, point, answer, exemplars)
            if self.on_point:
                self.on_point(rubric.id, found)
            return found, usage

        with ThreadPoolExecutor(max_workers=max(1, self.endpoint.concurrency)) as pool:
            rows = list(pool.map(work, rubric.points))
        return Opinion(
            question=rubric.id,
            model=self.endpoint.model,
            points=tuple(found for found, _ in rows),
            usage=sum((usage for _, usage in rows), Usage()),
        )

    def _point(
        self, rubric: Rubric, point: Point, answer: str, exemplars: Sequence[Exemplar]
    ) -> tuple[PointOpinion, Usage]:
        anchors = prompt.choose_anchors(exemplars, point)
        samples: list[_Sample] = []
        usage = Usage()
        for seed in range(SAMPLES):
            chat = prompt.messages(rubric, point, answer, anchors, seed=seed)
            try:
                sample, used = self._sample(chat, seed, rubric, answer)
            except EndpointError as error:
                return PointOpinion(point=point.id, error=sanitize_line(str(error)), samples=len(samples)), usage
            samples.append(sample)
            usage += used
            if seed == 0 and sample.verdict not in DOUBTFUL:
                break
        return _majority(point, samples), usage

    def _sample(self, chat: list[Json], seed: int, rubric: Rubric, answer: str) -> tuple[_Sample, Usage]:
        """One opinion, from the cache or the endpoint. Raises EndpointError where no verdict comes, not even twice."""
        key = key_of(self.endpoint.base_url, self.endpoint.model, chat, prompt.SCHEMA | {"v": prompt.VERSION}, seed)
        kept = self.cache.get(key)
        if kept is not None and (row := _parsed(kept)) is not None:
            return _checked(row, rubric, answer), Usage(cached=1)
        usage = Usage()
        for _ in range(2):
            completion = self.client.complete(chat, prompt.SCHEMA, seed=seed)
            usage += completion.usage
            row = _parsed(completion.text)
            if row is not None:
                self.cache.put(key, completion.text)
                return _checked(row, rubric, answer), usage
        raise EndpointError("its answer is no verdict in the agreed form")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sample:
    verdict: Verdict
    evidence: Evidence | None
    reason: str
    flags: tuple[str, ...]


def _parsed(text: str) -> Json | None:
    """The verdict object, or None. A Markdown fence around it is taken off; nothing is searched for in free text."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```") and "\n" in stripped:
        stripped = stripped.split("\n", 1)[1][:-3].strip()
    try:
        row: Any = json.loads(stripped, parse_constant=_refuse, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return row if _CHECK.is_valid(row) else None


def _refuse(name: str) -> None:
    raise ValueError(name)


def _once(pairs: list[tuple[str, Any]]) -> Json:
    """A dict; two values under one key are an attempt to say two things."""
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key stands twice")
    return row


def _checked(row: Json, rubric: Rubric, answer: str) -> _Sample:
    """The verdict with its quote verified: without a passage of the answer's own, nothing is met."""
    verdict, quote = Verdict(row["verdict"]), row["quote"]
    evidence = find_quote(answer, quote) if quote.strip() else None
    flags: list[str] = []
    if verdict.share and evidence is None:
        flags.append("llm_quote_not_in_answer")
    elif verdict.share and (is_from(rubric.question.en, quote) or is_from(rubric.question.zh, quote)):
        flags.append("llm_quote_is_the_question")
    if flags:
        verdict, evidence = Verdict.UNMET, None
    return _Sample(
        verdict=verdict, evidence=evidence, reason=sanitize_line(row["reason"], REASON_CHARS), flags=tuple(flags)
    )


def _majority(point: Point, samples: Sequence[_Sample]) -> PointOpinion:
    """The verdict of most samples; without a majority a person has to look."""
    counts = Counter(sample.verdict for sample in samples)
    verdict, votes = counts.most_common(1)[0]
    tied = 2 * votes <= len(samples)
    first = next(sample for sample in samples if sample.verdict is verdict)
    flags = [flag for sample in samples for flag in sample.flags] + (["llm_no_majority"] if tied else [])
    return PointOpinion(
        point=point.id,
        verdict=Verdict.CANNOT_ASSESS if tied else verdict,
        evidence=None if tied else first.evidence,
        reason=first.reason,
        samples=len(samples),
        agreement=round(votes / len(samples), 3),
        flags=tuple(dict.fromkeys(flags)),
    )
