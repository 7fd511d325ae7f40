"""`predict` and `predict_proba` behave as evaluation, whatever mode the model was left in.

All probes run on the trained model of the main training. Float32 on one thread differs by 1e-5 at most between
batch sizes (docs/thresholds.md); a forgotten `eval()` moves probabilities by more than 0.01.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import compare, require
from grader.judge.faults import Mismatch

CLOSE = 1e-4
UNDECIDED = 1e-3
"""Two classes closer than this may change places by rounding."""
COUNT = 96


def in_pieces(function: Any, images: NDArray[np.float32], size: int) -> NDArray[np.float64]:
    """`function` of the images, `size` at a time."""
    return np.concatenate([function(images[start : start + size]) for start in range(0, len(images), size)])


def require_spread(rows: NDArray[np.float64]) -> None:
    """An answer that never changes agrees with everything and shows nothing."""
    require(float(rows.std(axis=0).max()) > 1e-5, "the answer is the same for every image")


def name_batch_dependence(run: Any, images: NDArray[np.float32], diagnosis: Any) -> None:
    """Suspects why an image's probabilities depend on its batch, from what the same calls give in both modes."""
    run.model.train()
    whole = run.probabilities(images)
    columns = float(np.abs(whole.sum(axis=0) - 1).max())
    if columns < 1e-3:
        line = f"the probabilities of a class over {len(images)} images add up to one (within {columns:.1e})"
        diagnosis.suspect("softmax_over_batch", confidence=0.95, evidence=line)
        return
    run.model.train()
    again = float(np.abs(run.probabilities(images) - whole).max())
    run.model.eval()
    apart = float(np.abs(in_pieces(run.probabilities, images, 7) - run.probabilities(images)).max())
    if apart > CLOSE:  # in evaluation mode too: not a matter of eval()
        line = f"probabilities move by up to {apart:.2g} with the other images of the call, in evaluation mode too"
        diagnosis.suspect("test_statistics", confidence=0.7, evidence=line)
    else:
        cause = (
            f"the same call twice differs by up to {again:.2g}" if again > CLOSE else "the same call repeats exactly"
        )
        line = f"the answer depends on the batch only where the model was left in training mode; there {cause}"
        diagnosis.suspect("training_mode_while_predicting", confidence=0.9, evidence=line)


@pytest.mark.check(
    "batch_composition",
    criterion="evaluation",
    points=5,
    title="an image's probabilities do not depend on the other images of the call",
    title_zh="一张图像的概率与同批的其他图像无关",
    hint="Call model.eval() inside predict_proba; use no statistics of the images that are being predicted.",
    hint_zh="在 predict_proba 里调用 model.eval()；不要使用待预测图像自身的统计量。",
)
def test_batch_composition(main_run: Any, material: Any, rng: np.random.Generator, diagnosis: Any) -> None:
    run, images = main_run(), material.digits.test_images[:COUNT]
    try:
        require_independence(run, images, rng)
    except Mismatch:
        name_batch_dependence(run, images, diagnosis)
        raise


def require_independence(run: Any, images: NDArray[np.float32], rng: np.random.Generator) -> None:
    """The same probabilities in pieces, in reverse and among other images, each time from training mode."""
    run.model.train()
    whole = run.probabilities(images)
    require_spread(whole)
    run.model.train()
    compare.close(in_pieces(run.probabilities, images, 7), whole, atol=CLOSE, what="seven images at a time")
    run.model.train()
    compare.close(run.probabilities(images[::-1].copy())[::-1], whole, atol=CLOSE, what="the order reversed")
    run.model.train()
    mates = rng.random((32, 1, 8, 8), dtype=np.float32)
    mixed = run.probabilities(np.concatenate([mates, images]))[32:]
    compare.close(mixed, whole, atol=CLOSE, what="with other images in the call")


@pytest.mark.check(
    "forward_in_eval_mode",
    criterion="evaluation",
    points=3,
    title="in evaluation mode the module treats every image by itself",
    title_zh="评估模式下模块逐张处理图像",
    hint="Dropout needs training=self.training; reshape must keep the batch axis; softmax goes over the classes.",
    hint_zh="函数式 dropout 要传 training=self.training；reshape 要保留批量轴；softmax 沿类别轴。",
)
def test_forward_in_eval_mode(main_run: Any, material: Any, diagnosis: Any) -> None:
    scores, images = main_run().scorer(), material.digits.test_images[:COUNT]
    whole = scores(images)
    require_spread(whole)
    atol = CLOSE * max(1.0, float(np.abs(whole).max()))
    moved = float(np.abs(in_pieces(scores, images, 5) - whole).max())
    if moved > atol:
        line = f"in evaluation mode, scores move by up to {moved:.2g} with the other images of the batch"
        diagnosis.suspect("batch_mixed_in_forward", confidence=0.8, evidence=line)
    compare.close(in_pieces(scores, images, 5), whole, atol=atol, what="five images at a time")
    compare.close(scores(images[::-1].copy())[::-1], whole, atol=atol, what="the order reversed")


@pytest.mark.check(
    "unchanged_by_prediction",
    criterion="evaluation",
    points=2,
    title="predicting other images does not change the model",
    title_zh="对其他图像做预测不会改变模型",
    hint="In training mode BatchNorm keeps updating its running statistics: predict in evaluation mode.",
    hint_zh="训练模式下 BatchNorm 会不断更新统计量：预测时要用评估模式。",
)
def test_unchanged_by_prediction(main_run: Any, material: Any) -> None:
    run, images = main_run(), material.digits.test_images[:COUNT]
    run.model.train()
    first = run.probabilities(images)
    require_spread(first)
    run.model.train()
    run.probabilities(1 - 0.5 * images)
    run.model.train()
    compare.close(run.probabilities(images), first, atol=CLOSE, what="the same images again")


@pytest.mark.check(
    "single_image",
    criterion="evaluation",
    points=2,
    title="one image alone is predicted as within a batch",
    title_zh="单张图像的预测与批量中一致",
    hint="A batch of one keeps its batch axis (no bare squeeze) and has no statistics of its own.",
    hint_zh="大小为 1 的批量也保留批量轴（不要随意 squeeze），也不能用它自身的统计量。",
)
def test_single_image(main_run: Any, material: Any) -> None:
    run, images = main_run(), material.digits.test_images[:COUNT]
    whole = run.probabilities(images)
    require_spread(whole)
    run.model.train()
    alone = np.concatenate([run.probabilities(images[i : i + 1]) for i in range(6)])
    compare.close(alone, whole[:6], atol=CLOSE, what="one image at a time")
    run.labels(images[:1])


def clear(probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
    """True for rows whose first class is ahead by more than rounding."""
    ordered = np.sort(probabilities, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2] > UNDECIDED)


@pytest.mark.check(
    "labels_match_probabilities",
    criterion="evaluation",
    points=2,
    title="predict is the most probable class of predict_proba",
    title_zh="predict 就是 predict_proba 中概率最大的类别",
    hint="Take the argmax over the class axis of the same scores.",
    hint_zh="对同一组分数沿类别轴取 argmax。",
)
def test_labels_match_probabilities(main_run: Any, material: Any, diagnosis: Any) -> None:
    run, images = main_run(), material.digits.test_images[:COUNT]
    probabilities = run.probabilities(images)
    require_spread(probabilities)
    decided = clear(probabilities)
    ahead = run.answered(images)[decided] - probabilities.argmax(axis=1)[decided]
    wrong = int(np.sum(ahead != 0))
    if len(ahead) and bool(np.all(ahead == 1)):
        line = f"all {len(ahead)} labels are one more than the most probable class"
        diagnosis.suspect("labels_from_one", confidence=0.95, evidence=line)
    require(wrong == 0, f"{wrong} of {int(decided.sum())} labels are not the most probable class")


@pytest.mark.check(
    "labels_come_from_the_model",
    criterion="evaluation",
    points=4,
    title="predict answers with the trained module",
    title_zh="predict 用训练好的模块来回答",
    hint="predict runs the module's forward pass; the labels are those that its scores say.",
    hint_zh="predict 应运行模块的前向传播，标签由它的分数得出。",
)
def test_labels_come_from_the_model(main_run: Any, material: Any, diagnosis: Any) -> None:
    run = main_run()
    require_spread(run.scorer()(material.digits.test_images[:COUNT]))
    share = run.agreement()
    if share < 0.5 and run.accuracy() > max(run.views()) + 0.2:
        line = (
            f"predict finds {run.accuracy():.0%} of the labels, the module's own scores {max(run.views()):.0%} at best"
        )
        diagnosis.suspect("table_of_training_images", confidence=0.8, evidence=line)
    # Averaging over shifted copies of an image changes some labels, and may.
    require(share >= 0.85, f"predict agrees with forward on {share:.0%} of the images")
