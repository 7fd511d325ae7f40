"""A whole run with a device: from the setting to the report. The driver is played, all else is real but the device."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox import leases
from grader.sandbox.gpus import MIB
from tests.samples import TASK_TOML
from tests.sandbox.driver import A, B, Driver, driver, gpu
from tests.typed import Typed

__all__ = ["driver"]

HEAD = """
import pytest
from grader.judge import require

def check(name, criterion, points):
    return pytest.mark.check(name, criterion=criterion, points=points, title=name, hint="look")
"""
PUBLIC = (
    HEAD
    + """
@check("device", "contract", 40)
def test_device(candidate, device):
    require(device == "cuda", "not on the GPU")
    require(candidate.call("sees", device).integer() == 3, "another device")
"""
)
HIDDEN = (
    HEAD
    + """
@check("memory", "learning", 60)
def test_memory(candidate, device):
    candidate.call("greedy", device)
"""
)
CODE = f"""
import os
import torch

def sees(device):
    settled = torch.are_deterministic_algorithms_enabled() and not torch.backends.cudnn.allow_tf32
    mine = os.environ.get("CUDA_VISIBLE_DEVICES") == "{B}"
    return mine + 2 * settled

def greedy(device):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 TiB.")
"""


@pytest.fixture
def toy(make_folder: Callable[..., Path]) -> Path:
    """The folder of a task with that suite."""
    suites = {"toy/public/test_toy.py": PUBLIC, "toy/hidden/test_toy_hidden.py": HIDDEN}
    return make_folder("gpu-tasks", {"toy/task.toml": TASK_TOML, "toy/PROMPT.md": "# Toy\n", **suites})


@pytest.mark.slow
def test_the_report_says_which_device_it_was_and_what_became_of_it(
    driver: Driver, toy: Path, make_folder: Callable[..., Path], typed: Typed, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(leases, "FREED_S", 0.0)
    monkeypatch.setattr(leases, "lock_folder", lambda: tmp_path)
    driver.has(gpu(A), gpu(B, used=100))
    output = tmp_path / "report.json"
    # It is the judge's first word: from then on more is in use, and stays so.
    monkeypatch.setattr("grader.progress.Progress.check", lambda *_: driver.has(gpu(A), gpu(B, used=800)))
    folder = make_folder("ada", {"toy.py": CODE})
    result = typed("grade", folder, "--tasks-dir", toy, "--backend", "process", "--gpus", B, "-o", output)
    assert (result.code, result.out == "") == (0, False), result.err
    assert "700 MiB of its memory were not freed" in result.err
    record = json.loads(output.read_text())
    checks = {row["id"]: row for row in record["tasks"][0]["checks"]}
    assert checks["device"]["outcome"] == "passed", checks["device"]
    assert (checks["memory"]["outcome"], checks["memory"]["memory"]) == ("memory", "gpu")
    assert "the GPU's memory was used up: CUDA out of memory" in checks["memory"]["message"]
    (device,) = record["run"]["gpu"]["devices"]
    assert device == {
        "uuid": B, "name": "NVIDIA RTX A5000", "mig": False, "driver": "590.44.01", "cuda": "13.1",
        "memory_bytes": 24564 * MIB,
    }  # fmt: skip
    (used,) = record["run"]["gpu"]["tasks"].values()
    assert used["devices"] == [device]
    assert "set aside" in used["note"]
    assert record["tasks"][0]["resources"]["gpu_mem_bytes"] in (0, 700 * MIB), "a run may be shorter than a sample"
    assert record["tasks"][0]["limits"]["memory_bytes"] == 512 * MIB, "the task's, not the sandbox's"
