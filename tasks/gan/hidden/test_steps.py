"""Each step trains one network: judged by effect, against the movement that the right step makes.

BatchNorm statistics, power-iteration vectors and moving averages may move a little. This file comes last: it changes
the main model.
"""

from __future__ import annotations

from typing import Any

import pytest

from grader.judge import partial, require
from grader.judge.faults import CandidateFault

STILL, ZERO = 0.40, 0.80
"""Movement of images by d_steps over that by g_steps: full marks up to the first, none from the second on."""
STILL_SCORES, ZERO_SCORES = 0.80, 1.60
"""The same for scores by g_steps. Wider: power iterations move them as well, and what trains has a direction."""
TRAINED, DRIFTED = 0.10, 0.03
"""d_steps that move images by more than the first share of what the right step does, pull their score down, and move
them by more than the second while BatchNorm's statistics are at rest, train the generator. What correct code and slips
do was measured for docs/validity-gan.md."""
TRAINED_LIFT = 1.2
"""A g_step after which the discriminator scores the same generated images this many sd higher trains it: there the
generator's loss pulls. What statistics and power iterations do, and what slips do: docs/validity-gan.md."""
ALIVE = 1e-5
LEAST_IMAGES, LEAST_SCORES = 0.05, 0.5
"""The right step is taken to move images and scores by no less than this, in ten steps: one that does not work loses
its own marks, not those of the other one as well. Correct ones: 0.03 (moving average) to 0.5, and 0.5 to 5 sd."""
CLEAR = 0.05
"""Gain, in standard deviations of the scores, that ten steps on one batch make. Correct ones: 0.2 or more."""
DEAD = 0.02
"""BatchNorm's statistics alone move images by no more in ten g_steps."""


def moves_of(steps: Any, least: float) -> float:
    """`steps()`'s movement, but no less than `least`; `least` where those steps fault (marked elsewhere)."""
    try:
        return max(steps(), least)
    except CandidateFault:
        return least


def settle(moved: float, right: float, still: float, zero: float, what: str) -> None:
    """Marks for the smallness of `moved` against `right`: full up to `still`, none from `zero` on."""
    ratio = moved / right
    if ratio > still:
        share = min(max((zero - ratio) / (zero - still), 0.0), 0.99)
        partial(share, f"{what} by {moved:.3g}, {ratio:.0%} of what the right step does")


@pytest.mark.check(
    "d_step_leaves_generator",
    criterion="step_separation",
    points=5,
    title="d_step does not train what generate uses",
    title_zh="d_step 不训练 generate 所用的网络",
    hint="D's optimiser holds only D's parameters; detach generated images, or clear G's gradients before its step.",
    hint_zh="D 的优化器只持有 D 的参数；对生成图像用 detach，或者在 G 的 step 之前清空它的梯度。",
)
def test_d_step_leaves_generator(stepping: Any, diagnosis: Any) -> None:
    found = stepping()
    moves = found.wide()
    require(max(moves.scores, found.d().scores) > ALIVE, "d_steps change no score")
    right = moves_of(lambda: found.g().images, LEAST_IMAGES)
    moved = max(moves.images - found.wobble, 0.0)
    drift = found.drift() - found.wobble
    trains = moved > TRAINED * right and drift > DRIFTED * right
    if trains or moved > STILL * right:
        line = f"ten d_steps move generated images by {moved:.3f} (ten g_steps by {right:.3f}), "
        line += f"and their score by {moves.pull:+.2f} sd"
        line += f"; 30 move them by {drift:.3f} while BatchNorm's statistics are at rest" if trains else ""
        diagnosis.suspect("d_step_trains_generator", confidence=0.9, evidence=line)
    require(not trains, "ten d_steps make generated images easier to tell from real ones")
    settle(moved, right, STILL, ZERO, "ten d_steps move generated images")


@pytest.mark.check(
    "g_step_leaves_discriminator",
    criterion="step_separation",
    points=5,
    title="g_step does not train what discriminate uses",
    title_zh="g_step 不训练 discriminate 所用的网络",
    hint="G's optimiser holds only G's parameters; D's gradients of this step are cleared before D's next step.",
    hint_zh="G 的优化器只持有 G 的参数；这一步在 D 上留下的梯度，要在 D 的下一次 step 之前清空。",
)
def test_g_step_leaves_discriminator(stepping: Any, diagnosis: Any) -> None:
    found = stepping()
    right = moves_of(lambda: max(found.wide().scores, found.d().scores), LEAST_SCORES)
    moves = found.g()
    require(moves.images > ALIVE, "ten g_steps change no image")
    trains = moves.lift >= TRAINED_LIFT
    if trains or moves.scores > STILL_SCORES * right:
        line = f"ten g_steps move scores by {moves.scores:.2f} sd (ten d_steps by {right:.2f} sd), "
        line += f"and those of the same generated images by {moves.lift:+.2f} sd"
        diagnosis.suspect("g_step_trains_discriminator", confidence=0.9, evidence=line)
    require(not trains, "ten g_steps make the discriminator take the same generated images for more real")
    settle(moves.scores, right, STILL_SCORES, ZERO_SCORES, "ten g_steps move scores")


@pytest.mark.check(
    "d_step_direction",
    criterion="step_separation",
    points=1,
    title="d_step tells real from generated images better than before",
    title_zh="d_step 之后更能区分真实与生成的图像",
    hint="Real images get the target 'real', generated ones 'fake'; zero_grad comes before backward.",
    hint_zh="真实图像的目标是“真”，生成图像的目标是“假”；zero_grad 要在 backward 之前。",
)
def test_d_step_direction(stepping: Any, diagnosis: Any) -> None:
    moves = stepping().d()
    line = f"ten d_steps on one batch move the gap between real and generated images by {moves.gain:+.2f} sd"
    if moves.scores <= ALIVE:
        diagnosis.suspect("discriminator_never_trained", confidence=0.85, evidence="ten d_steps change no score")
    require(moves.scores > ALIVE, "ten d_steps change no score")
    require(moves.gain > CLEAR, line)


@pytest.mark.check(
    "g_step_direction",
    criterion="step_separation",
    points=2,
    title="g_step makes generated images more real to the discriminator",
    title_zh="g_step 让判别器认为生成图像更真实",
    hint="The generator's target for its own images is 'real'; its optimiser holds its parameters.",
    hint_zh="生成器对自己图像的目标是“真”；它的优化器持有它自己的参数。",
)
def test_g_step_direction(stepping: Any, look_at_steps: Any, diagnosis: Any) -> None:
    found = stepping()
    moves = found.g()
    line = f"ten g_steps move the score of generated images by {moves.gain:+.2f} sd"
    suspect_of(found.run.quality, moves, diagnosis)
    if moves.gain > 0:
        look_at_steps(found, diagnosis)
    require(moves.images > ALIVE, "ten g_steps change no image")
    require(moves.gain > CLEAR, line)


def suspect_of(quality: Any, moves: Any, diagnosis: Any) -> None:
    """Suspects what ten g_steps point to where training came to nothing."""
    line = f"ten g_steps move images by {moves.images:.3f} and their score by {moves.gain:+.2f} sd; FD {quality.fd:.2f}"
    if moves.images <= ALIVE:
        diagnosis.suspect("generator_never_trained", confidence=0.9, evidence="ten g_steps change no image")
    elif quality.fd > 0.9 and moves.images < DEAD:
        diagnosis.suspect("generator_never_trained", confidence=0.6, evidence=line)
    if quality.fd > 0.9 and moves.images > ALIVE and moves.gain < 0.01:
        diagnosis.suspect("generator_target_wrong", confidence=0.6, evidence=line)
