"""Unusual but legal: blank images, several models, a second training, a saved state.

The last check moves the main model to the CPU, so it stays last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.judge import compare, require

CLOSE = 1e-4
RETRAIN_LINE = 0.60
"""A model that keeps its first task scores 0, one that learns no more scores 0.1."""


def bounded(scores: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Scores in float64, cut off where arithmetic on them could overflow."""
    return np.clip(scores.astype(np.float64), -1e6, 1e6)


@pytest.mark.check(
    "blank_images",
    criterion="robustness",
    points=1,
    title="the trained model gives finite probabilities for images of one colour",
    title_zh="训练后的模型对纯色图像给出有限的概率",
    hint="Dividing by the standard deviation of an image needs a small constant in the denominator.",
    hint_zh="若除以图像的标准差，分母要加一个小常数。",
)
def test_blank_images(main_run: Any) -> None:
    run = main_run()
    for grey in (0.0, 0.5, 1.0):
        run.probabilities(np.full((3, 1, 8, 8), grey, np.float32))


@pytest.mark.check(
    "two_models",
    criterion="robustness",
    points=3,
    title="training a second model leaves the first one alone",
    title_zh="训练第二个模型不影响第一个模型",
    hint="What predict needs is kept with the model, not in a global of the file.",
    hint_zh="predict 需要的信息要保存在模型里，而不是文件的全局变量里。",
)
def test_two_models(main_run: Any, material: Any, builder: Any, device: str, diagnosis: Any) -> None:
    run, digits = main_run(), material.digits
    images = digits.test_images[:64]
    before = run.probabilities(images)
    require(float(before.std(axis=0).max()) > 1e-5, "the answer is the same for every image")
    pale = 0.6 + 0.3 * digits.images[:300]
    other = type(digits)(pale, digits.labels[:300][::-1].copy(), digits.test_images, digits.test_labels, 10)
    second = builder(run.candidate, other)
    untrained = second.state()
    run.candidate.within(cpu_s=20).call(
        "train_model", second, other.images, other.labels, epochs=1, seed=10, device=device
    )
    trained = second.state()
    moved = [name for name in trained if name in untrained and not np.array_equal(trained[name], untrained[name])]
    if not moved and run.accuracy() >= 0.8:
        line = "the second model of the process keeps every weight in training, the first one learned"
        diagnosis.suspect("global_optimiser", confidence=0.9, evidence=line)
    require(len(moved) > 0, "the second model did not change in training")
    second.drop()
    after = run.probabilities(images)
    shift = float(np.abs(after - before).max())
    if shift > CLOSE:
        line = f"the first model's probabilities move by up to {shift:.2g} when a second model is trained"
        diagnosis.suspect("global_statistics", confidence=0.8, evidence=line)
    compare.close(after, before, atol=CLOSE, what="the first model's probabilities")


@pytest.mark.check(
    "train_again",
    criterion="robustness",
    points=2,
    title="a trained model can be trained again on other labels",
    title_zh="训练过的模型可以用新的标签再次训练",
    hint="Each call of train_model makes its own optimiser and schedule and leaves nothing frozen.",
    hint_zh="每次调用 train_model 都新建优化器和学习率计划，并且不冻结任何参数。",
)
def test_train_again(main_run: Any, noisy_run: Any, material: Any, device: str) -> None:
    line, run, digits = main_run().learned(RETRAIN_LINE), noisy_run(), material.digits
    images, labels = digits.images[:718], digits.labels[:718]
    run.candidate.within(cpu_s=20).call(
        "train_model", run.model, images, (labels + material.shift) % 10, epochs=None, seed=11, device=device
    )
    wanted = (digits.test_labels + material.shift) % 10
    score = float(np.mean(run.labels(digits.test_images) == wanted))
    require(score >= line, f"accuracy {score:.3f} after the second training")


@pytest.mark.check(
    "state_round_trip",
    criterion="robustness",
    points=3,
    title="a new model with the saved state gives the same scores",
    title_zh="新模型载入保存的状态后给出相同的分数",
    hint="Layers belong in attributes, ModuleList or Sequential, other tensors that forward needs in buffers.",
    hint_zh="层要放在属性、ModuleList 或 Sequential 里，forward 需要的其他张量要注册为 buffer。",
)
def test_state_round_trip(main_run: Any, material: Any, builder: Any, device: str, diagnosis: Any) -> None:
    run, images = main_run(), material.digits.test_images[:64]
    fresh = builder(run.candidate, material.digits)
    fresh.load_state_of(run.model)
    fresh.eval()
    if device != "cpu":
        run.model.method("to", "cpu")
    run.model.eval()
    wanted = bounded(run.model(images).tensor(shape=(64, 10), dtype="floating", what="forward"))
    require(float(wanted.std(axis=0).max()) > 1e-5, "the scores are the same for every image")
    found = bounded(fresh(images).tensor(shape=(64, 10), dtype="floating", what="forward of the new model"))
    atol = CLOSE * max(1.0, float(np.abs(wanted).max()))
    apart = float(np.abs(found - wanted).max())
    if apart > atol:
        line = f"scores differ by up to {apart:.2g} after the state is loaded into a new model"
        diagnosis.suspect("unregistered_state", confidence=0.9, evidence=line)
    compare.close(found, wanted, atol=atol, what="the new model's scores")
