"""What counts as said, as denied and as something else."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from grader.written.aliases import compile_alias, find
from grader.written.calibration import shipped
from grader.written.compiled import CompiledRubric
from grader.written.grade import Verdict, grade_answer
from grader.written.language import detect
from grader.written.normalize import fold
from grader.written.segment import Segmenter
from grader.written.tokens import read

Rubrics = Mapping[str, CompiledRubric]


def _found(alias: str, text: str) -> bool:
    cut = Segmenter([alias]).cut
    return bool(find(compile_alias(alias, cut), read(text)))


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("gradient clipping", "we clip the gradients"),
        ("gradient clipping", "Ｇradient-Clipping"),
        ("fine tuning", "finetuning"),
        ("finetuning", "fine-tuning"),
        ("quantization", "quantisation"),
        ("梯度 裁剪", "对梯度做裁剪"),
        ("梯度裁剪", "裁剪梯度"),
        ("梯度裁剪", "對梯度進行裁剪"),
        ("KV cache", "the K\u200bV-cache"),
        ("=NaN", "the loss is nan"),
        ("<15..25> tokens", "about 20 tokens per parameter"),
        ("<15..25> tokens", "２０ tokens"),
        ("not converge", "it doesn't converge"),
        ("4-bit", "4 bit"),
        ("CNN", "СNN"),  # a Cyrillic letter
        ("memory", "mémory"),
        ("<15..25> tokens", "20.0 tokens"),
        ("<0.2..0.4>", "a ratio of 0.3"),
        ("0.5", "about 0.50"),
        ("=1.0", "between 0 and 1.0"),
        ("=1.0", "at most 1.00"),
        ("1.5B", "a 1.5B model"),
        ("1%", "1 percent"),
        ("1%", "only 1% is kept"),
        ("=20", "20."),
        ("GPU", "on eight GPUs"),
        ("RNNs", "an RNN"),
        ("LSTM", "LSTMs forget"),
    ],
)
def test_an_alias_is_found_in_other_spellings(alias: str, text: str) -> None:
    assert _found(alias, text)


@pytest.mark.parametrize(
    ("alias", "text"),
    [
        ("gradient clipping", "The gradient is large. Clipping paths are a drawing tool."),
        ("=NaN", "nano"),
        ("<15..25> tokens", "200 tokens"),
        ("不 收敛", "收敛得不错"),
        ("=测试集也", "先划分测试集；也要去重"),
        ("=in context", "It is put in. Context matters."),
        ("1%", "1. first, clip"),
        ("1", "1. first\n2) second\n3、third"),
        ("%", "nothing at all"),
        ("…", "nothing…at all"),
        ("=…", "nothing…at all"),
        ("RMS", "the RM is trained first"),
        ("gradient clipping", "clip one two three four five six seven eight gradient"),
    ],
)
def test_an_alias_is_not_found_where_it_is_not_said(alias: str, text: str) -> None:
    assert not _found(alias, text)


def test_digits_of_every_script_are_read() -> None:
    assert [token.key for token in read("\u1369 \u0663 \u2460 ⅷ").tokens] == ["\u1369", "3", "1", "viii"]


def _verdict(rubrics: Rubrics, point: str, text: str) -> Verdict:
    grade = grade_answer(rubrics["q01"], text, shipped())
    return next(row.verdict for row in grade.points if row.id == point)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("When the loss spikes, gradient clipping keeps training stable.", Verdict.MET),
        ("损失出现尖峰时可以做梯度裁剪。", Verdict.MET),
        ("Loss spikes are not helped by gradient clipping.", Verdict.CONTRADICTED),
        ("梯度裁剪不能解决梯度爆炸。", Verdict.CONTRADICTED),
        ("Gradient clipping not only tames exploding gradients, it also saves runs.", Verdict.MET),
        ("梯度裁剪不仅能缓解梯度爆炸，还能避免发散。", Verdict.MET),
        ("Without warm-up the loss diverges.", Verdict.MET),
        ("如果没有预热，损失就会发散。", Verdict.MET),
        ("When the loss diverges one should increase the learning rate.", Verdict.CONTRADICTED),
        ("The sky is blue and grass is green.", Verdict.UNMET),
    ],
)
def test_negation_and_contrast(rubrics: Rubrics, text: str, verdict: Verdict) -> None:
    assert _verdict(rubrics, "instability", text) is verdict


def test_quotes_are_the_candidates_own_words(rubrics: Rubrics) -> None:
    text = "序：\n當訓練時 loss ＳＰＩＫＥＳ，可用 ｗａｒｍ－ｕｐ 來緩解！\nend"
    grade = grade_answer(rubrics["q01"], text, shipped())
    rows = [row for point in grade.points for row in point.evidence]
    assert rows
    assert all(text[row.start : row.end] == row.quote for row in rows)


def test_a_misconception_is_named_but_not_where_it_is_warned_of(rubrics: Rubrics) -> None:
    said = grade_answer(rubrics["q01"], "The main problem of pre-training is overfitting.", shipped())
    warned = grade_answer(rubrics["q01"], "It is a misconception that the main problem is overfitting.", shipped())
    assert "misconception" in said.flags
    assert "misconception" not in warned.flags


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("We shard the optimizer states over all devices.", "en"),
        ("把优化器状态分片到各张卡上。", "zh"),
        ("训练时 loss spike 之后 rollback 到前一个 checkpoint 再 skip 掉 bad batches", "mixed"),
        (
            "Das Modell ist zu gross und passt nicht auf eine Karte, deshalb wird es auf viele verteilt und gekuerzt.",
            "other",
        ),
        ("Модель не помещается в память одной карты", "other"),
        ("", "none"),
    ],
)
def test_the_language_is_detected(text: str, language: str) -> None:
    assert detect(read(text)) == language


def test_folding_keeps_one_offset_for_each_character() -> None:
    folded = fold("ﬁne a\u0301 ｎ² 學習\u200b")
    assert len(folded.text) == len(folded.offsets)
    assert folded.text == "fine a n2 学习"


def test_the_same_answer_gives_the_same_grade(rubrics: Rubrics, references: dict[tuple[str, str], str]) -> None:
    first = grade_answer(rubrics["q01"], references["q01", "zh"], shipped(), rubrics)
    assert first == grade_answer(rubrics["q01"], references["q01", "zh"], shipped(), rubrics)


def test_a_bold_heading_belongs_to_the_sentence_after_it() -> None:
    document = read("1. **Memory.** Weights do not fit. So shard them.\n**注意力。**分块计算。")
    assert [token.sentence for token in document.tokens if token.text in ("memory", "fit", "them", "注", "算")] == [
        0, 0, 1, 2, 2,
    ]  # fmt: skip
    assert read("It is **slow.** Wait.").tokens[-1].sentence == 1
