"""What is decoded comes from the model, what it knows from the training, attention from the candidate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grader.judge import require

AGREES = 0.9
"""Share of decoded tokens that are the model's most probable ones (near ties of 1e-3 nats count): 1 in 20 trainings."""
KNOWS = 0.5
"""Share of right tokens that no untrained model reaches; chance is 0.125."""
LIBRARY = (
    "scaled_dot_product_attention",
    "multi_head_attention_forward",
    "MultiheadAttention",
    "flex_attention",
    "TransformerEncoder",
    "TransformerDecoder",
    "TransformerEncoderLayer",
    "TransformerDecoderLayer",
    "Transformer",
)


@pytest.mark.check(
    "untrained_follows_logits",
    criterion="shortcuts",
    points=1,
    title="decoding with an untrained model follows its logits",
    title_zh="用未训练的模型解码时遵循它的 logits",
    hint="Each token is the argmax of the model's last row of logits, nothing else.",
    hint_zh="每个词元都是模型最后一行 logits 的 argmax，没有别的来源。",
)
def test_untrained_follows_logits(candidate: Any, rng: np.random.Generator, tools: Any, diagnosis: Any) -> None:
    net = tools.new_net(candidate)
    src, bos_id = net.tokens(rng, 32, 5), 0
    answer = candidate.call("greedy_decode", net.handle, src, bos_id, 3).tensor(shape=(32, 3), what="greedy_decode")
    decoded = np.rint(tools.bounded(answer)).astype(np.int64)
    net.handle.eval()
    share = tools.follows(net, src, decoded, bos_id, np.ones((32, 3), bool))
    if share < AGREES:
        line = f"{share:.0%} of the tokens decoded with an untrained model are its most probable ones"
        diagnosis.suspect("decoding_without_the_model", confidence=0.6, evidence=line)
    require(share >= AGREES, f"only {share:.0%} of the decoded tokens are the model's most probable ones")


@pytest.mark.check(
    "trained_follows_logits",
    criterion="shortcuts",
    points=1,
    title="decoding with the trained model follows its logits",
    title_zh="用训练好的模型解码时遵循它的 logits",
    hint="Each token is the argmax of the model's last row of logits, nothing else.",
    hint_zh="每个词元都是模型最后一行 logits 的 argmax，没有别的来源。",
)
def test_trained_follows_logits(drawn_run: Any, tools: Any) -> None:
    run = drawn_run()
    test, decoded = run.lesson.test, run.tested()
    share = tools.follows(run.scorer(), test.src, decoded, run.lesson.bos_id, test.real)
    require(share >= 0.8, f"only {share:.0%} of the decoded tokens are the model's most probable ones")


@pytest.mark.check(
    "untrained_knows_nothing",
    criterion="shortcuts",
    points=1,
    title="a new model does not know the task yet",
    title_zh="新建的模型还不会这个任务",
    hint="What is decoded is learned in train_seq2seq; neither rules nor stored weights may answer.",
    hint_zh="解码的能力要在 train_seq2seq 中学到，不能靠规则或事先存好的权重。",
)
def test_untrained_knows_nothing(candidate: Any, lessons: Any, tools: Any, diagnosis: Any) -> None:
    lesson = lessons.reversal
    net, test = tools.new_net(candidate, **lesson.sizes), lesson.test
    shape = test.tgt_out.shape
    answer = candidate.call("greedy_decode", net.handle, test.src, lesson.bos_id, shape[1])
    decoded = answer.tensor(shape=shape, what="greedy_decode")
    right = float(np.mean((tools.bounded(decoded) == test.tgt_out)[test.real]))
    if right > KNOWS:
        line = f"an untrained model decodes {right:.0%} of the tokens of reversed sequences"
        diagnosis.suspect("knows_before_training", confidence=0.95, evidence=line)
    require(right <= KNOWS, f"an untrained model already decodes {right:.0%} of the tokens")


@pytest.mark.check(
    "own_attention",
    criterion="own_attention",
    points=2,
    title="attention and build_mha do not use the library's attention",
    title_zh="attention 和 build_mha 没有使用库里的注意力",
    hint="Write them with matmul and softmax; the library's blocks are welcome inside build_transformer.",
    hint_zh="请用矩阵乘法和 softmax 实现；库里的模块可以在 build_transformer 内部使用。",
)
def test_own_attention(candidate: Any, source: Any, diagnosis: Any, evidence: Any) -> None:
    require(candidate.has("attention") and candidate.has("build_mha"), "attention or build_mha is missing")
    found = source.calls(within=("attention", "build_mha"))
    used = sorted(name for name in found or () if name.startswith("torch.") and name.rpartition(".")[2] in LIBRARY)
    # A finding by reading never decides in silence: where the source cannot be followed, that is said and nothing is
    # deducted.
    note = (
        "cannot tell: the source cannot be followed; nothing was deducted"
        if found is None
        else ", ".join(used) or "none"
    )
    evidence.table(
        "own_attention", ["library attention in attention and build_mha"], [[note]], title="Read in the source"
    )
    if used:
        diagnosis.suspect(
            "library_attention", confidence=0.9, evidence=f"{len(used)} of the library's attention blocks used"
        )
    require(not used, f"uses {', '.join(used)}")
