"""The rest of the contract: every size and number of channels that the prompt names, parameters, epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader.judge import require


def forward_shapes(candidate: Any, rng: np.random.Generator, channels: int, size: int, classes: int = 10) -> None:
    """A batch of three and a batch of one both give one row of finite scores per image."""
    model = candidate.call("build_model", channels, classes, size).handle(what="the model")
    model.eval()
    images = rng.random((3, channels, size, size), dtype=np.float32)
    model(images).tensor(shape=(3, classes), dtype="floating", what="forward")
    model(images[:1]).tensor(shape=(1, classes), dtype="floating", what="forward of one image")


@pytest.mark.check(
    "size_16",
    criterion="contract",
    points=2,
    title="build_model works for 16x16 images",
    title_zh="build_model 支持 16x16 图像",
    hint="Derive the size of the first linear layer from image_size, or pool to a fixed size.",
    hint_zh="由 image_size 推出第一个全连接层的输入大小，或者池化到固定大小。",
)
def test_size_16(candidate: Any, rng: np.random.Generator) -> None:
    forward_shapes(candidate, rng, 1, 16)


@pytest.mark.check(
    "size_28",
    criterion="contract",
    points=2,
    title="build_model works for 28x28 images",
    title_zh="build_model 支持 28x28 图像",
    hint="28 is no power of two: check what your poolings and strides leave of it.",
    hint_zh="28 不是 2 的幂：检查池化和步长之后的大小。",
)
def test_size_28(candidate: Any, rng: np.random.Generator) -> None:
    forward_shapes(candidate, rng, 1, 28)


@pytest.mark.check(
    "size_32",
    criterion="contract",
    points=2,
    title="build_model works for 32x32 images",
    title_zh="build_model 支持 32x32 图像",
    hint="Derive the size of the first linear layer from image_size, or pool to a fixed size.",
    hint_zh="由 image_size 推出第一个全连接层的输入大小，或者池化到固定大小。",
)
def test_size_32(candidate: Any, rng: np.random.Generator) -> None:
    forward_shapes(candidate, rng, 1, 32)


@pytest.mark.check(
    "three_channels",
    criterion="contract",
    points=2,
    title="build_model works for three channels and other numbers of classes",
    title_zh="build_model 支持三通道图像和其他类别数",
    hint="The first convolution takes in_channels channels, the last layer gives num_classes scores.",
    hint_zh="第一个卷积层的输入通道数是 in_channels，最后一层输出 num_classes 个分数。",
)
def test_three_channels(candidate: Any, rng: np.random.Generator) -> None:
    forward_shapes(candidate, rng, 3, 8, classes=7)


@pytest.mark.check(
    "parameter_count",
    criterion="contract",
    points=2,
    title="the model has fewer than two million parameters",
    title_zh="模型参数少于两百万",
    hint="A large flattened feature map before the first linear layer is the usual cause: pool more.",
    hint_zh="常见原因是第一个全连接层之前的特征图太大：多做一些池化。",
)
def test_parameter_count(candidate: Any, rng: np.random.Generator) -> None:
    # 32 x 32 costs most; 8 x 8 is the main task. A forward pass gives lazily built layers their weights.
    for size in (8, 32):
        model = candidate.call("build_model", 1, 10, size).handle(what="the model")
        model.eval()
        model(rng.random((2, 1, size, size), dtype=np.float32))
        count = model.parameters().count
        require(0 < count < 2_000_000, f"{count} parameters at size {size}")


@pytest.mark.check(
    "epochs_honoured",
    criterion="contract",
    points=2,
    title="train_model runs no more epochs than it is told and reports one loss for each",
    title_zh="train_model 的轮数不超过 epochs，并且每轮报告一个损失",
    hint='With epochs=n the list under "loss" has at most n entries (fewer when you stop early).',
    hint_zh='给定 epochs=n 时，"loss" 列表最多有 n 项（提前停止时可以更少）。',
)
def test_epochs_honoured(candidate: Any, device: str) -> None:
    stored = np.load(Path(__file__).parent / "digits_public.npz")
    images, labels = stored["images"][:, None].astype(np.float32) / 16, stored["labels"].astype(np.int64)
    for epochs in (1, 3):
        model = candidate.call("build_model", 1, 10, 8).handle(what="the model")
        training = candidate.within(cpu_s=20)
        log = training.call("train_model", model, images, labels, epochs=epochs, seed=3, device=device)
        losses = log.floats("loss", what="the loss list")
        require(1 <= len(losses) <= epochs, f"{len(losses)} losses for epochs={epochs}")
