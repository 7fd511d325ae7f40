"""The rubric of a written question and its graded exemplars, from disk: checked at the door, frozen after it.

A rubric says what is recognised, never how: no pattern language, no code. The aliases are plain words, which
`grader.written.aliases` compiles; docs/writing-rubrics.md tells authors what they mean.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from grader.errors import TaskBroken
from grader.model import Json, Text
from grader.schemas import violation
from grader.text import sanitize_line

Groups = tuple[tuple[str, ...], ...]
"""All-of groups of any-of aliases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """A misconception: a clause that holds all the groups, and is not itself negated, costs `deduct` of the point."""

    says: Text
    """A sentence that holds it; what reports show."""
    all_of: Groups
    deduct: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One thing that a good answer says."""

    id: str
    weight: int
    title: Text
    model: Text
    """A sentence that alone earns the point."""
    why: Text
    all_of: Groups
    needed: int
    """How many of the groups must be there for full marks."""
    anywhere: bool = False
    """True where the groups may be spread over the answer (lists), not only over neighbouring sentences."""
    contradictions: tuple[Contradiction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """An error of the source that the rubric does not follow."""

    source: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """One question and its points."""

    id: str
    version: str
    question: Text
    points: tuple[Point, ...]
    corrections: tuple[Correction, ...] = ()

    @property
    def weight(self) -> int:
        """The sum of the points' weights: what full marks are a share of."""
        return sum(point.weight for point in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """A scored answer; `scores` maps pass to point id to 0, 0.5 or 1.

    Passes a and b are its author's; c, where there is one, a second marker's who had not seen them.
    """

    id: str
    language: str
    kind: str
    split: str
    text: str
    scores: Mapping[str, Mapping[str, float]]
    note: str = ""
    settled: Mapping[str, float] = field(default_factory=dict)
    """By point: what holds where the author and the second marker were half a point or more apart."""

    def point_score(self, point_id: str) -> float:
        """What was settled for one point, else the mean of the passes."""
        if point_id in self.settled:
            return self.settled[point_id]
        return sum(given[point_id] for given in self.scores.values()) / len(self.scores)

    def score(self, rubric: Rubric) -> float:
        """The share of the whole answer, in [0, 1]."""
        return sum(point.weight * self.point_score(point.id) for point in rubric.points) / rubric.weight


def load_rubrics(root: Path) -> dict[str, Rubric]:
    """The rubrics of the written task in the folder `root`, by id, in order. Raises TaskBroken."""
    rubrics = [load_rubric(path) for path in sorted(root.glob("q[0-9][0-9].toml"))]
    if not rubrics:
        _broken(root, "has no q01.toml ...: a written task needs at least one rubric")
    return {rubric.id: rubric for rubric in rubrics}


def load_rubric(path: Path) -> Rubric:
    """The rubric in the file `path`. Raises TaskBroken with the file, the key and what is expected."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        _broken(path, _why(error), error)
    problem = violation(table, "rubric") or _contradicts_itself(table, path)
    if problem:
        _broken(path, problem)
    return Rubric(
        id=table["id"],
        version=table["version"],
        question=Text(**table["question"]),
        points=tuple(_point(row) for row in table["points"]),
        corrections=tuple(Correction(**row) for row in table.get("corrections", [])),
    )


def load_exemplars(path: Path, rubric: Rubric) -> tuple[Exemplar, ...]:
    """The exemplars of `rubric` in the file `path`, one JSON object a line. Raises TaskBroken."""
    exemplars = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            _broken(path, f"line {number}: {sanitize_line(str(error))}", error)
        problem = violation(row, "exemplar") or _wrong_points(row, rubric)
        if problem:
            _broken(path, f"line {number}: {problem}")
        exemplars.append(Exemplar(**row))
    repeated = [name for name, count in Counter(exemplar.id for exemplar in exemplars).items() if count > 1]
    if repeated:
        _broken(path, f"the id {repeated[0]!r} is used twice; expected unique ids")
    return tuple(exemplars)


def _point(row: Json) -> Point:
    groups = _groups(row["all_of"])
    return Point(
        id=row["id"],
        weight=row["weight"],
        title=Text(**row["title"]),
        model=Text(**row["model"]),
        why=Text(**row["why"]),
        all_of=groups,
        needed=row.get("at_least", len(groups)),
        anywhere=row.get("window", "near") == "answer",
        contradictions=tuple(
            Contradiction(says=Text(**line["says"]), all_of=_groups(line["all_of"]), deduct=line.get("deduct", 1.0))
            for line in row.get("contradictions", [])
        ),
    )


def _groups(rows: list[list[str]]) -> Groups:
    return tuple(tuple(row) for row in rows)


def _contradicts_itself(table: Json, path: Path) -> str:
    """What a schema cannot say: the file's name, unique ids, `at_least` within the groups; "" where all holds."""
    if table["id"] != path.stem:
        return f"id: {table['id']!r} is not the name of the file, {path.stem!r}"
    repeated = [name for name, count in Counter(row["id"] for row in table["points"]).items() if count > 1]
    if repeated:
        return f"points: the id {repeated[0]!r} is used twice; expected unique ids"
    for row in table["points"]:
        if row.get("at_least", 1) > len(row["all_of"]):
            return f"points: {row['id']}: at_least is {row['at_least']}, but there are {len(row['all_of'])} groups"
    return ""


def _wrong_points(row: Json, rubric: Rubric) -> str:
    """Where an exemplar is not one of this rubric; "" where it is."""
    if not row["id"].startswith(f"{rubric.id}-"):
        return f"id: {row['id']!r} does not begin with {rubric.id}-"
    wanted = {point.id for point in rubric.points}
    for name, given in row["scores"].items():
        if set(given) != wanted:
            return f"scores.{name}: points {sorted(set(given) ^ wanted)} are missing or unknown"
    unknown = sorted(set(row.get("settled", {})) - wanted)
    return f"settled: points {unknown} are unknown" if unknown else ""


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, ValueError) as error:
        _broken(path, _why(error), error)


def _why(error: Exception) -> str:
    """Why a file cannot be read, without the path, which stands before it."""
    return error.strerror if isinstance(error, OSError) and error.strerror else sanitize_line(str(error))


def _broken(path: Path, what: str, cause: Exception | None = None) -> NoReturn:
    """Raises TaskBroken for a file of a rubric."""
    message = f"{path}: {what}"
    raise TaskBroken(message, hint="see docs/writing-rubrics.md") from cause
