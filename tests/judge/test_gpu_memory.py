"""The memory of a device that is used up is told apart from the container's, by what torch itself raises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from grader.judge import ends
from grader.judge.faults import CandidateFault
from grader.model import Outcome
from grader.reports.as_json import from_json, to_json
from grader.reports.audience import for_candidate
from grader.schemas import violation
from grader.worker import session
from grader.worker.session import Session
from tests.samples import check, report

TEXT = "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.19 GiB."


def fault(error: BaseException, *, gpu: bool) -> CandidateFault:
    """What the judge makes of what a session says of `error`."""
    said = Session(Path("/nowhere"), {}, 2**20)._describe(error)
    return ends.fault_of({"status": "raised", "value": None, "error": said}, lambda _line: "", gpu=gpu)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError(TEXT),
        torch.cuda.OutOfMemoryError(TEXT),
        torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_a_device_without_memory_is_an_outcome_of_its_own(error: BaseException) -> None:
    found = fault(error, gpu=True)
    assert (found.outcome, found.memory, found.exception) == (Outcome.MEMORY, "gpu", "RuntimeError")
    assert found.message.startswith("the GPU's memory was used up: ")


@pytest.mark.parametrize(
    ("error", "outcome", "memory"),
    [
        (MemoryError("Unable to allocate 74.5 GiB"), Outcome.MEMORY, "host"),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), Outcome.RAISED, ""),
        (ValueError("CUDA error: out of memory"), Outcome.RAISED, ""),
    ],
)
def test_other_errors_stay_what_they_are(error: BaseException, outcome: Outcome, memory: str) -> None:
    found = fault(error, gpu=True)
    assert (found.outcome, found.memory) == (outcome, memory)


def test_without_a_device_nobody_can_have_used_one_up() -> None:
    found = fault(torch.OutOfMemoryError(TEXT), gpu=False)
    assert (found.outcome, found.memory, found.exception) == (Outcome.RAISED, "", "RuntimeError")


def test_both_sides_have_one_name_for_it() -> None:
    assert ends.GPU_MEMORY == session.GPU_MEMORY


@pytest.mark.parametrize("memory", ["", "gpu", "host"])
def test_a_report_says_whose_memory_it_was(memory: str) -> None:
    row = replace(check("shape", outcome=Outcome.MEMORY if memory else Outcome.PASSED), memory=memory)
    graded = report(row, check("accuracy", "learning", 60.0))
    record = to_json(graded)
    assert record["tasks"][0]["checks"][0].get("memory", "") == memory
    assert violation(record, "report") == violation(for_candidate(record), "report") == ""
    assert from_json(record) == graded
