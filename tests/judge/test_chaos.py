"""Whatever well-formed values a candidate's code gives, the suite of a task says what is wrong with them.

The suite, pytest, the plugin, the bench and the proxies are the real ones; only the sandbox is played. A check that
comes out as `task_broken` here could make a wrong answer ungraded, so it is a fault of the suite or of an accessor.
"""

from __future__ import annotations

import math
import os
import random
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import torch

from grader.model import Outcome
from grader.task import load_task
from grader.worker.tensors import Objects, Packer, TooLarge, unpack_values
from grader.worker.values import Unpackable
from grader.worker.wire import Frame
from tests.fakes import Said
from tests.judge.suites import job_for, run_job

TASKS: Final = Path(__file__).resolve().parents[2] / "tasks"
SEEDS: Final = 200 if os.environ.get("GRADER_PROVE") == "all" else 60
GROUP: Final = 10

EXTREMES: Final = [math.nan, math.inf, -math.inf, -0.0, 0.0, 1e-45, 5e-324, 3.4e38, 1.7e308, -1.7e308, 1.0, 0.1]
WHOLE: Final = [0, 1, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 9, 10, 255]
DTYPES: Final = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int8,
                 torch.uint8, torch.bool]  # fmt: skip

Maker = Callable[["Chaos", Any], Any]


class Chaos:
    """A candidate that mostly answers with the right kind of thing, and always with odd contents."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.sense = self.rng.choice((0.0, 0.5, 0.9, 0.99, 1.0))
        """How often an answer has the kind that the contract names."""
        self.calm = self.rng.choice((0.0, 0.5, 0.95, 1.0))
        """How often the contents of a tensor are ordinary numbers."""
        self.objects = Objects()

    def answer(self, session: int, request: Frame) -> Said:
        """See Brain."""
        head, body = request.head, request.body
        arguments = unpack_values(head["value"], body, _Anything())
        name = str(head["arguments"].get("name", ""))
        value = self.value(head["verb"], name, arguments)
        if isinstance(value, Said):
            return value
        packer = Packer(self.objects, 2**20)
        try:
            node = packer.node(value)
        except (TooLarge, Unpackable):
            return Said(answer=_problem("output_limit", "too large"))
        return Said(answer={"status": "ok", "value": node, "error": None}, body=packer.body())

    def value(self, verb: str, name: str, arguments: Any) -> Any:
        """What to answer, before it is packed."""
        if verb == "load":
            return ["build_model", "train_model", "predict", "predict_proba"]
        roll = self.rng.random()
        if roll < self.sense:
            return SENSIBLE.get(name, SENSIBLE.get(verb, Chaos.anything))(self, arguments)
        if roll > 0.995:
            return Said(answer=_problem(self.rng.choice(("raised", "invalid", "output_limit")), "no"))
        return self.anything(arguments)

    def anything(self, _: Any, depth: int = 0) -> Any:
        """Any value at all."""
        kind = self.rng.randrange(14 if depth < 5 else 9)
        simple: list[Callable[[], Any]] = [
            lambda: None,
            lambda: self.rng.choice([True, False]),
            lambda: self.rng.choice(WHOLE),
            lambda: self.rng.choice(EXTREMES),
            lambda: self.rng.choice(["", "passed", "\0", "[1, 2]", "x" * 5000, "\u202e", "nan"]),
            lambda: self.tensor([self.rng.choice((0, 1, 2, 8, 10)) for _ in range(self.rng.randrange(5))]),
            lambda: [self.rng.choice(EXTREMES) for _ in range(self.rng.choice((0, 1, 3, 300)))],
            object,
            lambda: [self.rng.choice(WHOLE) for _ in range(self.rng.choice((1, 64, 400)))],
        ]
        if kind < len(simple):
            return simple[kind]()
        inner = [self.anything(None, depth + 1) for _ in range(self.rng.randrange(4))]
        if kind in (9, 10):
            return inner
        if kind == 11:
            return tuple(inner)
        keys = [self.rng.choice(["loss", "", 0, None, "count", "total"]) for _ in inner]
        return dict(zip(keys, inner, strict=True))

    def tensor(self, shape: list[int], dtype: torch.dtype | None = None) -> torch.Tensor:
        """A tensor of that shape; its contents ordinary or not."""
        generator = torch.Generator().manual_seed(self.rng.randrange(2**32))
        kind = dtype or self.rng.choice(DTYPES)
        plain = torch.randn(shape, generator=generator, dtype=torch.float64)
        if self.rng.random() < self.calm:
            return (plain if kind.is_floating_point else plain.abs() * 9).to(kind)
        values = EXTREMES if kind.is_floating_point else WHOLE
        bounded = values if kind.is_floating_point or kind is torch.int64 else [v % 100 for v in WHOLE]
        picked = self.rng.choices(bounded, k=max(1, math.prod(shape)))
        flat = torch.tensor(picked, dtype=torch.float64 if kind.is_floating_point else torch.int64)
        return flat[: math.prod(shape)].reshape(shape).to(kind)

    def rows(self, arguments: Any) -> torch.Tensor:
        """Scores or probabilities for the images among the arguments, of 10 classes or nearly."""
        count, classes = _count(arguments), self.rng.choice((10, 10, 10, 10, 4, 6, 7, 1))
        found = self.tensor([count, classes], self.rng.choice((torch.float32, torch.float64, torch.bfloat16)))
        return torch.softmax(found.double(), -1).to(found.dtype) if self.rng.random() < 0.5 else found

    def same_rows(self, arguments: Any) -> torch.Tensor:
        """Rows that depend on the image alone: what an honest model gives."""
        images = _images(arguments)
        if images is None:
            return self.rows(arguments)
        flat = images.reshape(len(images), -1).double()
        weights = torch.linspace(-3, 3, flat.shape[1] * 10, dtype=torch.float64).sin().reshape(-1, 10)
        return torch.softmax(flat @ weights, -1).float()

    def labels(self, arguments: Any) -> Any:
        """Labels for the images among the arguments."""
        if self.rng.random() < 0.5:
            return self.same_rows(arguments).argmax(-1)
        return self.tensor([_count(arguments)], self.rng.choice(DTYPES))

    def losses(self, _: Any) -> Any:
        """What training returns."""
        count = self.rng.choice((0, 1, 2, 5, 300))
        numbers = [self.rng.choice(EXTREMES) if self.rng.random() > self.calm else 2.0 / (i + 1) for i in range(count)]
        return self.rng.choice([{"loss": numbers}, {"loss": torch.tensor(numbers)}, (object(), {"loss": numbers})])

    def counts(self, names: tuple[str, ...]) -> Mapping[str, Any]:
        """What `parameters` and `gradient` return, forged or not."""
        pool = WHOLE + EXTREMES if self.rng.random() > self.calm else [1, 5, 1000]
        return {name: self.rng.choice(pool) for name in names}

    def weights(self, _: Any) -> Any:
        """A state dict."""
        shapes = [[4, 4], [8, 1, 3, 3], [3], [], [0, 5], [20, 20]]
        return {f"layer{i}.weight": self.tensor(self.rng.choice(shapes)) for i in range(self.rng.randrange(5))}


class _Anything(Objects):
    """Takes every handle."""

    def get(self, handle: Any) -> Any:
        return handle


def _images(arguments: Any) -> torch.Tensor | None:
    inner = arguments[0] if isinstance(arguments, list) and arguments and isinstance(arguments[0], list) else []
    return next((item for item in inner if isinstance(item, torch.Tensor) and item.dim() == 4), None)


def _count(arguments: Any) -> int:
    images = _images(arguments)
    return 3 if images is None else len(images)


def _problem(status: str, message: str) -> dict[str, Any]:
    error = {"class": "ValueError", "message": message, "location": "", "traceback": ""}
    return {"status": status, "value": None, "error": error}


SENSIBLE: Final[Mapping[str, Maker]] = {
    "build_model": lambda self, _: object(),
    "train_model": Chaos.losses,
    "predict": Chaos.labels,
    "predict_proba": lambda self, a: self.same_rows(a) if self.rng.random() < 0.5 else self.rows(a),
    "__call__": lambda self, a: self.same_rows(a) if self.rng.random() < 0.5 else self.rows(a),
    "mode": lambda self, _: None,
    "drop": lambda self, _: None,
    "load_state": lambda self, _: None,
    "state": Chaos.weights,
    "parameters": lambda self, _: self.counts(("count", "trainable", "tensors")),
    "gradient": lambda self, _: self.counts(("loss", "total", "missing", "zero")),
    "cross_entropy": lambda self, _: self.counts(("loss", "total", "missing", "zero")),
}


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, GROUP))
def test_no_value_breaks_the_suite(first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = load_task(TASKS / "cnn_classifier")
    ours: list[str] = []
    passed = 0
    for seed in range(first, first + GROUP):
        brain = Chaos(zlib.crc32(b"chaos %d" % seed))
        ran = run_job(job_for(task, seed=seed), brain, tmp_path, monkeypatch)
        assert ran.error == {}, (seed, ran.error)
        assert len(ran.checks) >= 20
        ours += [f"seed {seed}, {name}: {c.message[:600]}" for name, c in ran.checks.items() if c.outcome.ours]
        passed += sum(check.outcome is Outcome.PASSED for check in ran.checks.values())
    assert ours == []
    assert passed > 0, "the chaos never gets past the first call"


def test_the_values_reach_far_into_the_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A seed that behaves nearly always sees most checks through to a verdict about values."""
    task, brain = load_task(TASKS / "cnn_classifier"), Chaos(0)
    brain.sense = brain.calm = 1.0
    ran = run_job(job_for(task), brain, tmp_path, monkeypatch)
    assert {check.outcome for check in ran.checks.values()} <= {Outcome.PASSED, Outcome.FAILED, Outcome.BLOCKED}
    assert np.mean([check.outcome is Outcome.PASSED for check in ran.checks.values()]) > 0.1
    assert np.mean([check.outcome is Outcome.BLOCKED for check in ran.checks.values()]) < 0.5
