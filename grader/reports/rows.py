"""Small values as rows of a record, and back: what the parts of report.json share."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from grader.model import Json, Score, Text


def row_of(value: Any) -> Json:  # noqa: ANN401 -- any dataclass of plain values
    """The fields of a dataclass, not copied: `asdict` would recurse as deep as a worker likes."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def text_fields(name: str, text: Text) -> Json:
    """Both languages as two strings, as in a test's marker: `title` and `title_zh`."""
    return {name: text.en, f"{name}_zh": text.zh}


def text_back(name: str, row: Json) -> Text:
    """The text behind `text_fields`."""
    return Text(en=row[name], zh=row[f"{name}_zh"])


def point_fields(score: Score) -> Json:
    """Earned and possible points as two numbers."""
    return {"earned": score.earned, "possible": score.possible}


def score_of(score: Score) -> Json:
    """A score with its percentage."""
    return {**point_fields(score), "percent": score.percent}


def score_back(row: Json) -> Score:
    """The score behind `score_of` or `point_fields`."""
    return Score(earned=row["earned"], possible=row["possible"])
