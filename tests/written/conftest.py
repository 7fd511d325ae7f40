"""The rubrics that ship, compiled once for all tests of written answers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.written.compiled import CompiledRubric, compile_rubrics
from grader.written.rubric import load_rubrics

ROOT = Path(__file__).resolve().parent.parent.parent
TASK = ROOT / "tasks" / "written"


@pytest.fixture(scope="session")
def rubrics() -> Mapping[str, CompiledRubric]:
    return compile_rubrics(load_rubrics(TASK).values())


@pytest.fixture(scope="session")
def references(rubrics: Mapping[str, CompiledRubric]) -> dict[tuple[str, str], str]:
    folder = ROOT / "reference" / "written"
    return {
        (name, lang): (folder / f"{name}.{lang}.md").read_text("utf-8") for name in rubrics for lang in ("en", "zh")
    }
