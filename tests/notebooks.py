"""Notebooks for tests, written as Jupyter writes them."""

from __future__ import annotations

import ast
import json
from itertools import pairwise
from typing import Any


def cell(source: str, kind: str = "code", **fields: Any) -> dict[str, Any]:
    """One cell of format 4."""
    code: dict[str, Any] = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {}, "source": source, **code, **fields}


def notebook(*sources: str | dict[str, Any], **fields: Any) -> bytes:
    """A notebook of code cells (strings) and ready cells."""
    cells = [cell(source) if isinstance(source, str) else source for source in sources]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **fields}).encode()


def split(source: str) -> list[str]:
    """The source of a module as cells: one for each function or class, with what stands above it."""
    lines = source.splitlines(keepends=True)
    tops = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    starts = [min([node.lineno, *(mark.lineno for mark in node.decorator_list)]) - 1 for node in tops]
    bounds = [0, *(start for start in starts if start), len(lines)]
    cells = ["".join(lines[a:b]).strip() for a, b in pairwise(bounds)]
    return [text.replace("from __future__ import annotations", "") for text in cells if text]
