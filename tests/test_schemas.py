"""The schema files are valid, strict, and say where an instance breaks them."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from grader.errors import UsageError
from grader.model import Limits, Outcome, ReportStatus, TaskStatus, Visibility
from grader.schemas import NAMES, load_schema, violation


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_valid_and_closed(name: str) -> None:
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False


def test_an_unknown_schema_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="one of task, submission, report"):
        load_schema("../secret")


def test_a_violation_names_place_and_expectation_on_one_line() -> None:
    assert violation({"candidate": "A"}, "submission") == ""
    assert violation({"candidate": 3}, "submission") == "candidate: 3 is not of type 'string' [the name to show]"
    assert violation([], "submission").startswith("top level: ")


def test_the_examples_of_the_handbook_fit() -> None:
    mutant = {
        "title": "t",
        "base": "reference",
        "loses": ["learning"],
        "keeps": ["contract"],
        "fails": ["x"],
        "percent": [60, 95],
    }
    expected = {
        "status": "graded",
        "tasks": {"cnn_classifier": {"percent": [40, 60], "loses": ["a"], "keeps": [], "fails": []}},
    }
    assert violation(mutant, "mutant") == ""
    assert violation(expected, "expected") == ""
    assert "percent" in violation(mutant | {"percent": [60]}, "mutant")


def test_enums_in_the_report_schema_are_those_of_the_model() -> None:
    schema = load_schema("report")
    check = schema["$defs"]["check"]["properties"]
    assert check["outcome"]["enum"] == list(Outcome)
    assert check["visibility"]["enum"] == list(Visibility)
    assert schema["properties"]["status"]["enum"] == list(ReportStatus)
    assert schema["$defs"]["task"]["properties"]["status"]["enum"] == list(TaskStatus)


def test_every_limit_of_the_model_can_be_set_but_the_derived_ones() -> None:
    keys = {key.replace("_mb", "_bytes") for key in load_schema("task")["properties"]["limits"]["properties"]}
    assert set(Limits.__slots__) - keys == {"tmpfs_inodes"}
