"""What a session says of its own end is made into a fault that reads well."""

from __future__ import annotations

import pytest

from grader.judge.ends import fault_of


@pytest.mark.parametrize(
    ("kind", "message", "shown"),
    [
        ("ValueError", "no", "ValueError: no"),
        ("NotImplementedError", "", "NotImplementedError"),  # as every starter raises it: no colon before nothing
        ("Mine", "no", "no"),
    ],
)
def test_the_message_of_a_raised_exception(kind: str, message: str, shown: str) -> None:
    error = {"class": kind, "message": message, "location": "", "traceback": ""}
    assert fault_of({"status": "raised", "error": error}, lambda place: place).message == shown
