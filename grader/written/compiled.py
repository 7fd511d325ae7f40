"""Rubrics with their aliases compiled, once for a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grader.written import lexicon
from grader.written.aliases import Alias, Cut, chinese_parts, compile_alias
from grader.written.rubric import Contradiction, Groups, Point, Rubric
from grader.written.segment import Segmenter
from grader.written.similarity import Passage, passage
from grader.written.tokens import Document, read

AliasGroups = tuple[tuple[Alias, ...], ...]


@dataclass(frozen=True, slots=True)
class CompiledContradiction:
    """A misconception and its groups."""

    contradiction: Contradiction
    groups: AliasGroups


@dataclass(frozen=True, slots=True)
class CompiledPoint:
    """A point, its groups, and for each group the aliases that say the opposite."""

    point: Point
    groups: AliasGroups
    opposites: AliasGroups
    contradictions: tuple[CompiledContradiction, ...]
    models: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class CompiledRubric:
    """A rubric ready for matching."""

    rubric: Rubric
    points: tuple[CompiledPoint, ...]
    questions: tuple[Document, ...]


def compile_rubrics(rubrics: Iterable[Rubric]) -> dict[str, CompiledRubric]:
    """The rubrics by id. The dictionary is read once, for the aliases of all of them."""
    listed = list(rubrics)
    sources = {alias for rubric in listed for groups in _all_groups(rubric) for group in groups for alias in group}
    cut = Segmenter(part for source in sorted(sources) for part in chinese_parts(source)).cut
    return {rubric.id: _compile(rubric, cut) for rubric in listed}


def _all_groups(rubric: Rubric) -> list[Groups]:
    own = [point.all_of for point in rubric.points]
    return own + [line.all_of for point in rubric.points for line in point.contradictions]


def _compile(rubric: Rubric, cut: Cut) -> CompiledRubric:
    questions = (read(rubric.question.en), read(rubric.question.zh))
    points = []
    for point in rubric.points:
        groups = _groups(point.all_of, cut)
        contradictions = tuple(CompiledContradiction(row, _groups(row.all_of, cut)) for row in point.contradictions)
        opposites = tuple(_opposites(group, known, cut) for group, known in zip(point.all_of, groups, strict=True))
        models = (passage(point.model.en), passage(point.model.zh))
        points.append(CompiledPoint(point, groups, opposites, contradictions, models))
    return CompiledRubric(rubric, tuple(points), questions)


def _groups(groups: Groups, cut: Cut) -> AliasGroups:
    return tuple(tuple(compile_alias(source, cut) for source in dict.fromkeys(group)) for group in groups)


def _opposites(sources: tuple[str, ...], known: tuple[Alias, ...], cut: Cut) -> tuple[Alias, ...]:
    """The group's aliases with one word turned into its opposite, but for those that the group accepts itself."""
    accepted = {alias.pieces for alias in known}
    turned = []
    for source in sources:
        for one, other in lexicon.ANTONYMS:
            for word, opposite in ((one, other), (other, one)):
                if word in source and _has_word(source, word):
                    alias = compile_alias(source.replace(word, opposite), cut)
                    if alias.pieces not in accepted and len(alias.pieces) > 1:
                        turned.append(alias)
    return tuple(dict.fromkeys(turned))


def _has_word(source: str, word: str) -> bool:
    return word in source.split() if word.isascii() else "不" + word not in source
