"""Odd but legal submissions of the task gan, hostile ones, and cheats: the right outcome, never an error of ours."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.config import Settings
from grader.model import Outcome, Report, ReportStatus
from grader.pipeline import Request, grade
from grader.task import load_tasks
from tests import warm
from tests.tasks.gan_suite import HIDDEN, ROOT, STAND_IN

MakeFolder = Callable[..., Path]

OURS = {Outcome.TASK_BROKEN, Outcome.SANDBOX_DOWN}


def graded(folder: Path) -> Report:
    """The report on the process backend. Nothing in it may be our fault."""
    tasks, settings = load_tasks(ROOT / "tasks", ["gan"]), Settings(backend="process", seed=3)
    request = Request(tasks=tasks, settings=settings, start=warm.start())
    result = grade(folder, request)
    assert result.error is None
    assert result.report.status is ReportStatus.GRADED
    assert not [check.id for check in result.report.tasks[0].checks if check.outcome in OURS]
    return result.report


def passed(report: Report) -> set[str]:
    """Ids of the checks that passed."""
    return {check.id for check in report.tasks[0].checks if check.outcome is Outcome.PASSED}


CONTRACT = {"sample_shape", "sample_range", "generate_shape", "scores_shape", "one_image", "range_after_training"}
STEPS = {"d_step_leaves_generator", "g_step_leaves_discriminator", "d_step_direction", "g_step_direction"}
NOISE = {"seeds_differ", "same_seed", "batch_mates"}

LEGAL = {
    "plain": "",
    "numpy arrays": (
        "real_generate = generate\n"
        "def generate(model, z): return real_generate(model, z).numpy()\n"
        "def discriminate(model, images): return np.asarray(images).reshape(-1, 64) @ model.d.numpy()\n"
        "def d_step(model, real, z): model.d += 0.1 * (torch.as_tensor(real).reshape(-1, 64).mean(dim=0)"
        " - real_generate(model, z).reshape(-1, 64).mean(dim=0))\n"
    ),
    "nested lists": (
        "tensor_generate = generate\n"
        "def sample(model, n, seed):\n"
        "    z = torch.randn(n, 16, generator=torch.Generator().manual_seed(seed))\n"
        "    return tensor_generate(model, z).tolist()\n"
    ),
    "half precision": (
        "single = generate\n"
        "def sample(model, n, seed):\n"
        "    return single(model, torch.randn(n, 16, generator=torch.Generator().manual_seed(seed))).half()\n"
    ),
    "a tuple and extra values": (
        "one = generate\n"
        "def train_gan(images, *, time_budget_s, seed, device): return Pair(Model(images))\n"
        "class Pair(tuple):\n"
        "    def __new__(cls, model): return tuple.__new__(cls, (model, [1.0, 2.0]))\n"
        "    images = property(lambda self: self[0].images)\n"
        "    d = property(lambda self: self[0].d)\n"
        "    g = property(lambda self: self[0].g)\n"
        "def d_step(model, real, z):\n"
        "    model.d.add_(0.1 * (real.reshape(-1, 64).mean(dim=0) - one(model, z).reshape(-1, 64).mean(dim=0)))\n"
        "    return {'loss': 1j, 'model': model, 'deep': [[[[[[[[[[[[1]]]]]]]]]]]]}\n"
        "def g_step(model, z): model.g.add_(0.1 * model.d); return object()\n"
        "def sample(model, n, seed):\n"
        "    return one(model, torch.randn(n, 16, generator=torch.Generator().manual_seed(seed))), 'more'\n"
    ),
    "gradients in the answer": (
        "flat = generate\ndef generate(model, z): return flat(model, z).requires_grad_(True) * 1\n"
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LEGAL)
def test_legal_ways_to_answer_keep_the_contract(name: str, make_folder: MakeFolder) -> None:
    report = graded(make_folder("odd", {"gan.py": STAND_IN + LEGAL[name]}))
    lost = (CONTRACT | STEPS | NOISE) - passed(report)
    assert lost == set()


AFTER_TRAINING = """
right_d_step, slope = d_step, torch.linspace(-1, 1, 64)
def d_step(model, real, z):
    right_d_step(model, real, z)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("moves_generator", "outcome"),
    [
        ("model.g += 0.5 * (-0.3 * slope - model.g)", "passed"),
        ("model.g += 0.1 * (-0.6 * slope - model.g)", "passed"),
        ("model.g += 0.1 * ((8 * float(z.mean()) - 0.6) * slope - model.g)", "passed"),
        ("model.g -= 0.06 * slope", "failed"),
    ],
    ids=[
        "statistics catch up soon",
        "statistics catch up with the momentum of PyTorch",
        "statistics follow the noise as well",
        "trains it",
    ],
)
def test_what_moves_images_once_is_told_from_what_trains(
    moves_generator: str, outcome: str, make_folder: MakeFolder
) -> None:
    """Both make images easier to tell in ten steps, as BatchNorm's statistics did in 3 of 320 gradings."""
    report = graded(make_folder("moves", {"gan.py": f"{STAND_IN}{AFTER_TRAINING}    {moves_generator}\n"}))
    task = report.tasks[0]
    assert {check.id: check.outcome for check in task.checks}["d_step_leaves_generator"] == outcome
    assert ("d_step_trains_generator" in {row.id for row in task.diagnosis}) == (outcome == "failed")


BAD = {
    "NaN samples": "def sample(model, n, seed): return torch.full((n, 1, 8, 8), float('nan'))\n",
    "complex samples": "def sample(model, n, seed): return torch.zeros(n, 1, 8, 8, dtype=torch.complex64)\n",
    "huge samples": "def sample(model, n, seed): return torch.full((n, 1, 8, 8), 3e38)\n",
    "constant samples": "def sample(model, n, seed): return torch.zeros(n, 1, 8, 8)\n",
    "too few samples": "def sample(model, n, seed): return torch.rand(n // 2, 1, 8, 8)\n",
    "sparse samples": "def sample(model, n, seed): return torch.zeros(n, 1, 8, 8).to_sparse()\n",
    "a string": "def sample(model, n, seed): return 'images'\n",
    "None as the model": "def train_gan(images, **_): return None\n",
    "NaN scores": "def discriminate(model, images): return torch.full((len(images),), float('nan'))\n",
    "infinite scores": "def discriminate(model, images): return torch.full((len(images),), float('inf'))\n",
    "no latent_dim": "def latent_dim(model): return None\n",
    "endless latent_dim": "def latent_dim(model): return 10**9\n",
    "negative latent_dim": "def latent_dim(model): return -1\n",
    "a model gone bad after a step": "def d_step(model, real, z): model.d *= float('nan'); model.g *= float('nan')\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD)
def test_bad_answers_lose_their_points_and_break_nothing(name: str, make_folder: MakeFolder) -> None:
    report = graded(make_folder("bad", {"gan.py": STAND_IN + BAD[name]}))
    assert report.score.percent < 60
    for check in report.tasks[0].checks:
        assert check.outcome is Outcome.PASSED or check.message.strip()


CHEAT = """
from pathlib import Path
stored = np.load(Path(__file__).parent / "digits.npz")
every = np.concatenate([stored["train_images"], stored["test_images"]])[:, None]
bank = torch.from_numpy(every.astype(np.float32) / 16)
def views(images): return [torch.rot90(m, k, (2, 3)) for m in (images, images.transpose(2, 3)) for k in range(4)]
"""


@pytest.mark.slow
def test_a_stored_data_set_in_its_own_view_shows_at_once(make_folder: MakeFolder) -> None:
    folder = make_folder("stored", {"gan.py": STAND_IN + CHEAT + (
        "def sample(model, n, seed):\n"
        "    return bank[torch.randint(len(bank), (n,), generator=torch.Generator().manual_seed(seed))]\n"
    )})  # fmt: skip
    shutil.copy(HIDDEN / "digits.npz", folder)
    report = graded(folder)
    assert {"same_view", "frechet_distance", "coverage"}.isdisjoint(passed(report))
    assert "not_from_the_call" in {row.id for row in report.tasks[0].diagnosis}


@pytest.mark.slow
def test_a_stored_data_set_in_the_right_view_shows_digits_that_were_not_shown(make_folder: MakeFolder) -> None:
    folder = make_folder("matched", {"gan.py": STAND_IN + CHEAT + (
        "def sample(model, n, seed):\n"
        "    target = model.images.mean(dim=0)\n"
        "    both = [v for images in (bank, 1 - bank) for v in views(images)]\n"
        "    best = min(both, key=lambda images: float((images.mean(dim=0) - target).square().sum()))\n"
        "    return best[torch.randint(len(best), (n,), generator=torch.Generator().manual_seed(seed))]\n"
    )})  # fmt: skip
    shutil.copy(HIDDEN / "digits.npz", folder)
    report = graded(folder)
    assert "only_shown_digits" not in passed(report)


@pytest.mark.slow
def test_noisy_training_images_earn_neither_fidelity_nor_coverage(make_folder: MakeFolder) -> None:
    folder = make_folder("noisy", {"gan.py": STAND_IN + (
        "def sample(model, n, seed):\n"
        "    rng = torch.Generator().manual_seed(seed)\n"
        "    found = model.images[torch.randint(len(model.images), (n,), generator=rng)]\n"
        "    return (found + 0.12 * torch.randn(found.shape, generator=rng)).clamp(0, 1)\n"
    )})  # fmt: skip
    report = graded(folder)
    earned = {row.id: row.score.earned for row in report.tasks[0].criteria}
    assert earned["fidelity"] <= 2
    assert earned["coverage"] <= 2
    assert earned["not_memorised"] <= 5
    assert "memorised" in {row.id for row in report.tasks[0].diagnosis}
