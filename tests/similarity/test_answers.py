"""Written answers: a copied passage is found in either language; phrases of the field and quoted questions are not."""

from __future__ import annotations

import itertools
import json

import pytest

from grader.similarity.answers import answer_words, quoted
from grader.similarity.collect import Collected, answer_unit
from grader.similarity.compare import Finding, find_similar
from grader.written.rubric import load_rubrics
from tests.similarity.copies import ROOT

ENGLISH = (
    "Residual connections let the gradient flow past each block, so that very deep stacks still train. Without them "
    "the product of many Jacobians shrinks or explodes, and the first layers hardly move. They also make each block "
    "learn a small change to what came in, which is an easier thing to learn than the whole map."
)
CHINESE = (
    "残差连接让梯度可以绕过每一层直接传回去，所以很深的网络也能训练。没有它，许多雅可比矩阵连乘会让梯度消失或者爆炸，"
    "前面的层几乎不动。它还让每一层只需要学习输入的一个小改动，这比学习整个映射容易得多。"
)


def compared(*texts: str, known: dict[str, frozenset[int]] | None = None) -> list[Finding]:
    units = [answer_unit(f"s{number}", "q01", f"q01-{number}.md", text) for number, text in enumerate(texts)]
    return find_similar(Collected(units=units, known=known or {}))


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_a_copy_with_another_look_is_flagged(text: str) -> None:
    disguised = text.upper().replace(". ", ".\n\n- ").replace("，", ", ").replace("。", " **。** ") + " 谢谢 thanks"
    (found,) = compared(text, disguised)
    assert found.kind == "answer"
    assert found.share > 0.95
    assert found.passages[0].first.text in text


def test_traditional_characters_and_invisible_marks_make_no_difference() -> None:
    traditional = (
        CHINESE.replace("连", "連").replace("让", "讓").replace("网络", "網\u200b絡").replace("梯", "\u202e梯")
    )
    (found,) = compared(CHINESE, traditional)
    assert found.share > 0.95


def test_a_copied_passage_in_an_answer_of_ones_own_is_flagged() -> None:
    own = "I would measure first, then profile the loader and the kernels, and only then change the batch size. " * 1
    others = " ".join(f"Another thought number {n} about something else entirely." for n in range(20))
    (found,) = compared(ENGLISH, own + ENGLISH + others)
    assert found.words >= 40


def test_answers_written_apart_are_not_flagged() -> None:
    units = []
    for path in sorted((ROOT / "tasks" / "written" / "exemplars").glob("q0[1-9].jsonl")):
        rows = map(json.loads, path.read_text("utf-8").splitlines())
        units += [answer_unit(row["id"], path.stem, row["id"], row["text"]) for row in rows]
    pairs = sum(1 for a, b in itertools.combinations(units, 2) if a.item == b.item and a.size == b.size)
    assert pairs > 1000
    assert find_similar(Collected(units=units)) == []


def test_quoting_the_question_and_the_rubrics_titles_is_no_copy() -> None:
    rubric = load_rubrics(ROOT / "tasks" / "written")["q02"]
    texts = [rubric.question.en, *(point.title.en for point in rubric.points)]
    quote = " ".join(texts) * 2
    size = answer_unit("", "q02", "", quote).size
    known = {f"q01/{size}": quoted([" ".join(texts) * 2], size)}
    assert len(answer_words(quote)) > 30
    assert compared(quote, quote) != []
    assert compared(quote, quote, known=known) == []
