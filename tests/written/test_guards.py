"""What guards flag and, as important, what they leave alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from grader.written.compiled import CompiledRubric
from grader.written.guards import Flag, guard, is_stuffed
from grader.written.tokens import read
from tests.written.probes import key_words, shuffled

SEPARATORS = {
    "lines": "\n",
    "bullets": "\n- ",
    "commas": ", ",
    "full stops": ". ",
    "、": "、",
    "semicolons": "；",
    "spaces": " ",
}


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_key_words_are_seen_whatever_stands_between_them(
    rubrics: Mapping[str, CompiledRubric], lang: str, separator: str
) -> None:
    for name, rubric in rubrics.items():
        words = key_words(rubric.rubric, lang, 3)
        assert is_stuffed(read(SEPARATORS[separator].join(words)).tokens), name


def test_key_words_with_prepositions_are_seen() -> None:
    text = (
        "by user, by time, across train and test, near duplicates, per group, held out, before split, n-gram, by hash"
    )
    assert is_stuffed(read(text).tokens)


@pytest.mark.parametrize("seed", range(3))
def test_a_reference_in_random_order_is_seen(references: dict[tuple[str, str], str], seed: int) -> None:
    texts = [text for (_, lang), text in references.items() if lang == "en"]
    seen = [is_stuffed(read(shuffled(text, seed)).tokens) for text in texts]
    assert sum(seen) >= 0.95 * len(seen)


@pytest.mark.parametrize(
    "text",
    [
        "A do...while statement always executes the body once before the condition is tested; a while may never do so.",
        "单链表：无法删除\n双链表：可以删除，时间复杂度为O(1)\n循环单链表：可以删除，时间复杂度为O(n)，因为要先找到前驱",
        """- Warm up the learning rate
- Clip the gradient norm at 1.0
- Skip the bad batches and roll back
- Keep bf16 for the forward pass
- Watch the loss for spikes
- Lower the rate when it diverges
- Check the data that came just before
- Save a checkpoint every hour
- Train again from there""",
    ],
)
def test_short_true_statements_are_not_stuffed(text: str) -> None:
    assert not is_stuffed(read(text).tokens)


@pytest.mark.parametrize(
    "text",
    [
        "进栈顺序为1、2、3、4、5、6，出栈顺序为2、3、1、6、5、4，所以大小无序，和进栈的先后没有关系。",
        "只要{1，3，5，7}和{2，4，6，8}这样交错排列，归并的时候就要比较2n-1次。",
    ],
)
def test_a_sequence_of_numbers_is_not_a_list_of_key_words(text: str) -> None:
    assert not is_stuffed(read(text).tokens)


def test_key_words_between_spaces_with_chinese_and_english_are_seen() -> None:
    text = (
        "数据并行 张量并行 流水线并行 ZeRO FSDP 混合精度 bf16 FlashAttention 算子融合 激活重计算 预取 数据加载 通信重叠"
    )
    assert is_stuffed(read(text).tokens)


def test_a_result_that_the_question_does_not_hold_is_no_copy() -> None:
    question = "在等概率的前提下，插入一个元素需要平均移动的元素个数是多少？LS=(a1,a2,…,an)"
    answer = "在等概率的前提下，插入一个元素需要平均移动的元素个数是n/2。"
    assert Flag.COPIED_QUESTION not in _flags(answer, question)
    assert Flag.COPIED_QUESTION in _flags(answer.removesuffix("n/2。"), question)


def test_words_within_a_formula_are_one_clause() -> None:
    assert len({token.clause for token in read("lookup is O(n) or O(log n) here").tokens}) == 1


def _flags(text: str, question: str) -> tuple[Flag, ...]:
    return guard(read(text), [read(question)]).flags


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Why does the metal spoon get hot in the hot soup, and the wooden spoon does not?", "Metal gets hot."),
        ("队列和栈的操作有什么不同？顺序队列在出队和入队时各移动哪个指针，队满如何判断？", "出队移动头指针。"),
    ],
)
def test_a_short_answer_may_use_the_words_of_the_question(question: str, answer: str) -> None:
    assert Flag.COPIED_QUESTION not in _flags(answer, question)
    assert Flag.COPIED_QUESTION in _flags(question, question)


def test_every_question_said_again_is_a_copy(rubrics: Mapping[str, CompiledRubric]) -> None:
    for rubric in rubrics.values():
        for lang in ("en", "zh"):
            text = rubric.rubric.question.in_language(lang)
            assert Flag.COPIED_QUESTION in guard(read(text), rubric.questions).flags, (rubric.rubric.id, lang)
