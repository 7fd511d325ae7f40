"""What the CNN's hidden suite suspects, and what it does not."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from grader.judge.faults import CandidateFault
from grader.model import Outcome

SUITE = Path(__file__).resolve().parents[2] / "tasks" / "cnn_classifier" / "hidden" / "test_data_handling.py"


@dataclass
class Digits:
    images: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    test_images: npt.NDArray[Any]
    test_labels: npt.NDArray[Any]
    classes: int


def missing_class(works: Callable[[set[int]], bool]) -> list[str]:
    """What the check `missing_class` suspects of code whose training works with those sets of labels."""
    spec = importlib.util.spec_from_file_location("cnn_data_handling", SUITE)
    assert spec is not None
    assert spec.loader is not None
    suite = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(suite)
    suspected: list[str] = []

    def trainer(_candidate: Any, data: Digits, **_options: Any) -> Any:
        if not works(set(data.labels.tolist())):
            raise CandidateFault(Outcome.RAISED, "no")
        return SimpleNamespace(probabilities=lambda images: None, labels=lambda images: np.zeros(len(images)))

    digits = Digits(np.zeros((600, 1)), np.arange(600) % 10, np.zeros((20, 1)), np.zeros(20), 10)
    diagnosis = SimpleNamespace(suspect=lambda bug, **_how: suspected.append(bug))
    try:
        suite.test_missing_class(None, SimpleNamespace(digits=digits), trainer, diagnosis)
    except CandidateFault:
        suspected.append("did not pass")
    return suspected


@pytest.mark.parametrize(
    ("works", "suspected"),
    [
        (lambda labels: True, []),
        (lambda labels: len(labels) == 6, ["classes_from_labels", "did not pass"]),
        (lambda labels: False, ["did not pass"]),  # code that works with no data at all says nothing about classes
    ],
    ids=["right", "classes from labels", "never works"],
)
def test_a_number_of_classes_taken_from_the_labels_is_told_from_code_that_never_works(
    works: Callable[[set[int]], bool], suspected: list[str]
) -> None:
    assert missing_class(works) == suspected
