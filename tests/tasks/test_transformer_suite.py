"""Odd answers to the Transformer suite: the right outcome for the candidate, never an error of ours.

The whole proof of the task is in tests/test_transformer_proof.py; here is what no reference and no mutant does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.config import Settings
from grader.model import Outcome, Report, ReportStatus
from grader.pipeline import Request, grade
from grader.task import load_tasks
from tests import warm

ROOT = Path(__file__).parent.parent.parent
OURS = {Outcome.TASK_BROKEN, Outcome.SANDBOX_DOWN}

ATTENTION = """
import torch, numpy as np
def attention(q, k, v, mask=None):
    s = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    if mask is not None:
        s = s.masked_fill(~mask, float("-inf"))
    w = s.softmax(-1)
    return odd(w @ v), odd(w)
class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.table = torch.nn.Embedding(64, width)
        self.width = width
    def forward(self, src, tgt, *rest):
        return odd(self.table(tgt)) if tgt.dtype == torch.long else odd(src * 1.0)
def build_mha(d_model, n_heads, dropout=0.0):
    return Net(d_model)
def build_transformer(src_vocab, tgt_vocab, *rest):
    return Net(tgt_vocab)
"""
ODD = {
    "nan": "def odd(x): return x * float('nan')",
    "infinite": "def odd(x): return x.sign() * float('inf')",
    "complex": "def odd(x): return torch.complex(x, x)",
    "boolean": "def odd(x): return x > 0",
    "whole": "def odd(x): return (1000 * x).long()",
    "empty": "def odd(x): return x[:0]",
    "text": "def odd(x): return 'a tensor'",
    "nothing": "def odd(x): return None",
    "scalar": "def odd(x): return x.sum()",
    "huge": "def odd(x): return x.double() * 1e300",
}
SHAPES_ALONE = {"huge": 6}
"""Finite numbers of the right shape and with the right symmetries are right in that much."""


def graded(folder: Path, code: str) -> Report:
    """The report of a submission that holds that file alone."""
    folder.mkdir(exist_ok=True)
    (folder / "transformer.py").write_text(code)
    settings = Settings(backend="process", seed=5)
    tasks = load_tasks(ROOT / "tasks", ["transformer"])
    result = grade(folder, Request(tasks=tasks, settings=settings, start=warm.start()))
    assert result.error is None
    return result.report


def earned(report: Report, criterion: str) -> tuple[float, float]:
    """Points of a criterion, earned and possible."""
    score = next(row.score for row in report.tasks[0].criteria if row.id == criterion)
    return score.earned, score.possible


@pytest.mark.slow
@pytest.mark.parametrize("kind", ODD)
def test_odd_tensors_cost_the_candidate_and_nobody_else(kind: str, tmp_path: Path) -> None:
    report = graded(tmp_path / kind, ATTENTION + ODD[kind])
    assert report.status is ReportStatus.GRADED
    assert not OURS & {check.outcome for check in report.tasks[0].checks}
    assert earned(report, "attention")[0] == SHAPES_ALONE.get(kind, 0)
    assert earned(report, "learning")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "odd",
    [
        "def odd(x): return x.detach().numpy()",
        "def odd(x): return x.tolist()",
        "def odd(x): return x.double()",
        "def odd(x): return x.requires_grad_()",
        "def odd(x): return x.transpose(0, 1).contiguous().transpose(0, 1)",
    ],
)
def test_arrays_lists_and_other_float_types_are_taken(odd: str, tmp_path: Path) -> None:
    report = graded(tmp_path / "odd", ATTENTION + odd)
    assert earned(report, "attention") == (20, 20)


@pytest.mark.slow
def test_half_precision_loses_where_it_is_too_coarse(tmp_path: Path) -> None:
    report = graded(tmp_path / "half", ATTENTION + "def odd(x): return x.half()")
    outcomes = {check.id: check.outcome for check in report.tasks[0].checks}
    assert outcomes["attention_shapes"] is Outcome.PASSED
    assert outcomes["value_mixing"] is Outcome.FAILED
    assert not OURS & set(outcomes.values())


@pytest.mark.slow
def test_an_empty_file_is_graded_with_nothing(tmp_path: Path) -> None:
    report = graded(tmp_path / "empty", "")
    assert report.status is ReportStatus.GRADED
    assert report.score.earned == 0
