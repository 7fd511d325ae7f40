"""What denies a statement, what only looks as if it did, and what takes a misconception back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest

from grader.model import Text
from grader.written.compiled import CompiledPoint, CompiledRubric, compile_rubrics
from grader.written.match import State, match_point
from grader.written.negation import negators
from grader.written.rubric import Contradiction, Groups
from grader.written.tokens import read

Rubrics = Mapping[str, CompiledRubric]


def _point(rubrics: Rubrics, groups: Groups, said: Groups = ()) -> CompiledPoint:
    """A point with these groups, and one misconception."""
    rubric = rubrics["q01"].rubric
    lines = (Contradiction(says=Text(en="x", zh="x"), all_of=said, deduct=1.0),) if said else ()
    point = dataclasses.replace(
        rubric.points[0], all_of=groups, needed=len(groups), anywhere=False, contradictions=lines
    )
    return compile_rubrics([dataclasses.replace(rubric, points=(point,))])["q01"].points[0]


def _state(rubrics: Rubrics, groups: Groups, text: str) -> State:
    document = read(text)
    return match_point(_point(rubrics, groups), document, negators(document), frozenset()).state


COPY: Groups = (("data parallelism", "数据 并行"), ("full copy", "完整 副本"))
CLIP: Groups = (("spike", "尖峰"), ("clipping", "裁剪"))
MASK: Groups = (("mask", "掩码"), ("cross documents", "跨 文档"))
SPLIT: Groups = (("time", "时间"), ("future", "未来"))
REVIEW: Groups = (("accepted", "合入"), ("review", "评审"))
METRIC: Groups = (("accuracy", "准确率"), ("judge", "判断"))


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        (COPY, "Data parallelism doesn't split the model, each card has a full copy."),
        (COPY, "Don't say that data parallelism splits the model, it keeps a full copy on every card."),
        (COPY, "数据并行并不切分模型，每张卡都有完整副本。"),
        (CLIP, "Use clipping against a spike, 不然损失会发散。"),
        (CLIP, "出现尖峰时不是裁剪就是回滚。"),
        (CLIP, "看尖峰之后肯不肯做裁剪。"),
        (CLIP, "出现尖峰时要不要裁剪，取决于梯度。"),
        (MASK, "The mask does not cross documents."),
        (MASK, "掩码不会跨文档。"),
        (SPLIT, "按时间划分，绝不能用到未来的数据。"),
        (REVIEW, "Nothing is accepted without a review."),
    ],
)
def test_what_only_looks_like_a_denial(rubrics: Rubrics, groups: Groups, text: str) -> None:
    assert _state(rubrics, groups, text) is State.MET


@pytest.mark.parametrize(
    ("groups", "text"),
    [
        (COPY, "Data parallelism does not keep a full copy on each card."),
        (COPY, "It is not true that in data parallelism, however many cards there are, each one has a full copy."),
        (COPY, "I don't think that data parallelism keeps a full copy."),
        (COPY, "并不是说数据并行时，每张卡都有完整副本。"),
        (CLIP, "A spike is no longer helped by clipping."),
        (METRIC, "准确率不足以判断好坏。"),
    ],
)
def test_what_denies(rubrics: Rubrics, groups: Groups, text: str) -> None:
    assert _state(rubrics, groups, text) is State.CONTRADICTED


def test_a_contrast_ends_what_is_called_untrue(rubrics: Rubrics) -> None:
    text = "It is not true that the model is split, rather data parallelism keeps a full copy."
    assert _state(rubrics, COPY, text) is State.MET


SPLITS: Groups = (("data parallelism splits model", "数据 并行 切分 模型"),)
LOSS: Groups = (("high loss", "高 损失", "损失 高"), ("mislabeled", "wrong labels", "标错"))
CLEAN: Groups = (("deduplication", "去重"), ("no leakage", "没有 泄漏"))


@pytest.mark.parametrize(
    ("said", "text", "holds"),
    [
        (SPLITS, "Data parallelism splits the model.", True),
        (SPLITS, "Data parallelism doesn't split the model.", False),
        (SPLITS, "数据并行并不切分模型。", False),
        (LOSS, "Examples with a high loss have wrong labels.", True),
        (LOSS, "Examples with a high loss are mislabeled: this is wrong.", False),
        (LOSS, "It is wrong to call every example with a high loss mislabeled.", False),
        (LOSS, "A high loss is not necessarily mislabeled data.", False),
        (LOSS, "损失高的样本就是标错的。", True),
        (LOSS, "损失高的样本未必是标错的。", False),
        (LOSS, "损失高不一定就是标错。", False),
        (CLEAN, "去重之后就没有泄漏。", True),
        (CLEAN, "去重不能保证没有泄漏。", False),
        (CLEAN, "Deduplication does not guarantee that there is no leakage.", False),
    ],
)
def test_who_holds_a_misconception(rubrics: Rubrics, said: Groups, text: str, *, holds: bool) -> None:
    document = read(text)
    found = match_point(_point(rubrics, CLIP, said), document, negators(document), frozenset())
    assert bool(found.misconceptions) is holds
