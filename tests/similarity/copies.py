"""Copies as people make them: other names, another order, another layout, other constants, a notebook."""

from __future__ import annotations

import ast
import builtins
import json
import keyword
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = ROOT / "reference"
TASKS = ("cnn_classifier", "transformer", "gan")


class _Rename(ast.NodeTransformer):
    """Gives every name that the file binds another one, and every number another value."""

    def __init__(self, bound: set[str]) -> None:
        self.names = {name: f"zz_{number}" for number, name in enumerate(sorted(bound))}

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.names.get(node.arg, node.arg)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if not node.name.startswith("__") and node.name != "forward":
            node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.names.get(node.name, node.name)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == self.names.get("self", "self"):
            node.attr = self.names.get(node.attr, node.attr)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, float):
            node.value += 0.125
        return node


def _bound(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
    return {name for name in found if not keyword.iskeyword(name) and not hasattr(builtins, name)}


def renamed(source: str) -> str:
    """The program with other names and constants, formatted anew, without comments, its parts in another order."""
    tree = ast.parse(source)
    _Rename(_bound(tree)).visit(tree)
    head = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    parts = [node for node in tree.body if node not in head]
    tree.body = [*head, *reversed(parts)]
    return ast.unparse(ast.fix_missing_locations(tree))


def notebook(source: str) -> str:
    """The program in the cells of a notebook, a cell for each part, with text and a shell's line between."""
    cells: list[dict[str, object]] = []
    for part in source.split("\n\n\n"):
        cells += [
            {"cell_type": "markdown", "source": ["some words"], "metadata": {}},
            {"cell_type": "code", "source": [f"!ls\n{part}"], "metadata": {}, "outputs": [], "execution_count": None},
        ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def reference(task: str) -> str:
    """The source of a task's model solution."""
    return (REFERENCE / task / f"{task}.py").read_text("utf-8")


def styles(task: str) -> dict[str, dict[str, bytes]]:
    """Other people's solutions, by name: their files."""
    return {
        folder.name: {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.suffix in (".py", ".ipynb")
        }
        for folder in sorted((REFERENCE / task / "styles").iterdir())
    }
