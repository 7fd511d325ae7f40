"""What you can check yourself: `grader check` runs this file. The hidden suite asks the same and more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import compare, require

Floats = NDArray[np.float32]


def digits() -> tuple[Floats, NDArray[np.int64]]:
    """200 digits: images (200, 1, 8, 8) in [0, 1] and labels (200,)."""
    stored = np.load(Path(__file__).parent / "digits_public.npz")
    images = stored["images"][:, None].astype(np.float32) / 16
    return images, stored["labels"].astype(np.int64)


def new_model(candidate: Any) -> Any:
    """A model for the digits."""
    return candidate.call("build_model", 1, 10, 8).handle(what="the model")


@pytest.fixture(scope="session")
def trained(shared: Any, device: str) -> Any:
    """One training on the public digits with your own number of epochs."""

    def recipe(candidate: Any) -> Any:
        images, labels = digits()
        model = new_model(candidate)
        log = candidate.within(cpu_s=20).call("train_model", model, images, labels, epochs=None, seed=1, device=device)
        return candidate, model, log

    return shared(recipe)


@pytest.mark.check(
    "logits_shape",
    criterion="contract",
    points=2,
    title="forward gives one row of scores per image",
    title_zh="前向传播为每张图像给出一行分数",
    hint="Return a (B, num_classes) float tensor for a (B, C, H, W) batch.",
    hint_zh="对 (B, C, H, W) 的批量返回形状为 (B, num_classes) 的浮点张量。",
)
def test_logits_shape(candidate: Any) -> None:
    model, (images, _) = new_model(candidate), digits()
    logits = model(images[:5]).tensor(shape=(5, 10), dtype="floating", what="forward")
    require(bool(np.any(logits != logits[0, 0])), "the scores are all equal")


@pytest.mark.check(
    "label_type",
    criterion="contract",
    points=2,
    title="predict gives one integer label per image",
    title_zh="predict 为每张图像给出一个整数标签",
    hint="Return an int64 tensor of shape (N,) with values from 0 to num_classes - 1.",
    hint_zh="返回形状为 (N,) 的 int64 张量，取值从 0 到 num_classes - 1。",
)
def test_label_type(candidate: Any) -> None:
    model, (images, _) = new_model(candidate), digits()
    labels = candidate.call("predict", model, images[:7]).tensor(shape=(7,), dtype="integer", what="predict")
    require(bool(((labels >= 0) & (labels < 10)).all()), "a label outside 0..9")


@pytest.mark.check(
    "probability_rows",
    criterion="contract",
    points=2,
    title="predict_proba gives rows of probabilities",
    title_zh="predict_proba 的每一行是概率",
    hint="Softmax over the class axis: rows of shape (num_classes,) that are not negative and add up to one.",
    hint_zh="沿类别轴做 softmax：每行长度为 num_classes，非负且和为 1。",
)
def test_probability_rows(candidate: Any) -> None:
    model, (images, _) = new_model(candidate), digits()
    rows = candidate.call("predict_proba", model, images[:7]).tensor(
        shape=(7, 10), dtype="floating", what="predict_proba"
    )
    require(bool((rows >= -1e-6).all()), "a negative probability")
    compare.close(
        np.clip(rows.astype(np.float64), 0, 2).sum(axis=1), np.ones(7), atol=1e-3, what="the sums of the rows"
    )


@pytest.mark.check(
    "loss_list",
    criterion="contract",
    points=2,
    title="train_model returns the losses of its epochs",
    title_zh="train_model 返回每一轮的损失",
    hint='Return {"loss": [...]} with one finite number for each epoch.',
    hint_zh='返回 {"loss": [...]}，每一轮一个有限的数。',
)
def test_loss_list(candidate: Any, device: str) -> None:
    model, (images, labels) = new_model(candidate), digits()
    log = candidate.within(cpu_s=20).call("train_model", model, images, labels, epochs=2, seed=2, device=device)
    losses = log.floats("loss", what="the loss list")
    require(len(losses) >= 1, "the list of losses is empty")
    require(bool(np.isfinite(losses).all()), f"losses {losses}")


@pytest.mark.check(
    "loss_falls",
    criterion="learning",
    points=2,
    title="the loss falls during training",
    title_zh="训练过程中损失下降",
    hint="Each batch: zero_grad, forward, loss, backward, step. The optimiser must hold the model's parameters.",
    hint_zh="每个批量：zero_grad、前向、损失、backward、step。优化器必须持有模型的参数。",
)
def test_loss_falls(trained: Any) -> None:
    _, _, log = trained()
    losses = log.floats("loss", what="the loss list")
    require(len(losses) >= 1 and bool(np.isfinite(losses).all()), f"losses {losses[:5]}")
    require(len(losses) == 1 or min(losses[1:]) < 0.97 * losses[0], f"from {losses[0]:.3f} to {losses[-1]:.3f}")


@pytest.mark.check(
    "image_by_image",
    criterion="evaluation",
    points=2,
    title="probabilities do not depend on how images are grouped into calls",
    title_zh="概率与图像如何分批无关",
    hint="predict_proba switches the model to evaluation mode itself, whatever mode it was left in.",
    hint_zh="无论模型处于什么模式，predict_proba 都要自己切换到评估模式。",
)
def test_image_by_image(trained: Any) -> None:
    candidate, model, _ = trained()
    images, _ = digits()

    def rows(part: Floats) -> Any:
        model.train()
        answer = candidate.call("predict_proba", model, part)
        found = answer.tensor(shape=(len(part), 10), dtype="floating", what="predict_proba")
        return np.clip(found.astype(np.float64), -1.0, 2.0)

    together = rows(images[:20])
    require(float(together.std(axis=0).max()) > 1e-5, "the answer is the same for every image")
    apart = np.concatenate([rows(images[start : start + 4]) for start in range(0, 20, 4)])
    compare.close(apart, together, atol=1e-4, what="four images at a time")


@pytest.mark.check(
    "odd_batch",
    criterion="data_handling",
    points=1,
    title="predict takes any number of images",
    title_zh="predict 支持任意数量的图像",
    hint="The last batch may hold a single image: keep its batch axis.",
    hint_zh="最后一批可能只有一张图像：保留它的批量轴。",
)
def test_odd_batch(candidate: Any) -> None:
    model, (images, _) = new_model(candidate), digits()
    for count in (1, 65, 129):
        labels = candidate.call("predict", model, images[:count]).tensor(what="predict")
        require(len(labels.reshape(-1)) == count, f"{labels.shape} labels for {count} images")


@pytest.mark.check(
    "constant_image",
    criterion="robustness",
    points=1,
    title="an image of one colour gets finite probabilities",
    title_zh="纯色图像也得到有限的概率",
    hint="Dividing by the standard deviation of an image needs a small constant in the denominator.",
    hint_zh="若除以图像的标准差，分母要加一个小常数。",
)
def test_constant_image(candidate: Any) -> None:
    model = new_model(candidate)
    for grey in (0.0, 1.0):
        images = np.full((2, 1, 8, 8), grey, np.float32)
        candidate.call("predict_proba", model, images).tensor(shape=(2, 10), dtype="floating", what="predict_proba")
