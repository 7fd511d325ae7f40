"""The formats on disk as JSON Schemas (draft 2020-12), and the one place that checks against them.

The schema files are the documentation of the formats; `grader schema NAME` prints them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

from grader.errors import UsageError
from grader.text import sanitize_line

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

NAMES = ("task", "submission", "report", "expected", "mutant", "bugs", "rubric", "exemplar", "review", "kit")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """The schema called `name`; raises UsageError for a name that is not in `NAMES`."""
    if name not in NAMES:
        message = f"there is no schema {sanitize_line(name, 40)!r}"
        raise UsageError(message, hint="one of " + ", ".join(NAMES))
    text = files(__name__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def violation(instance: object, name: str) -> str:
    """Where `instance` breaks the schema `name` first, and how, on one line; "" where it does not."""
    from jsonschema.exceptions import best_match  # costs 80 ms, which `--help` must not

    error = best_match(_validator(name).iter_errors(instance))
    if error is None:
        return ""
    place = error.json_path.removeprefix("$").removeprefix(".") or "top level"
    # Of the whole file the description says what it is, not what was expected.
    expected = error.schema.get("description", "") if isinstance(error.schema, dict) and error.absolute_path else ""
    return sanitize_line(f"{place}: {error.message}" + (f" [{expected}]" if expected else ""), 400)


@cache
def _validator(name: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(load_schema(name))
