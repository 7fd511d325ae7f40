"""Imports point one way, and heavy libraries load only where they are used.

The layers are those of the design, with the modules that import next to nothing at the bottom: `text` and `digest`
(no imports of ours), `model`, then `atomic` and `schemas` (errors only), and `intake` just below `submission`.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "grader"

# From the bottom up. A module may import those of lower rows, and its own package; never its own row's neighbours.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("grader",),
    ("errors", "text", "digest"),
    ("model", "atomic", "schemas"),
    ("config",),
    ("intake",),
    ("task", "submission", "scoring", "expectation", "patch", "installed"),
    ("sandbox", "runners", "reports", "progress"),
    ("judge", "written"),
    ("selection",),
    ("pipeline", "store"),
    ("verify", "replay", "kit", "doctor", "review", "scaffold", "similarity"),
    ("batch",),
    ("api", "ci"),
    ("validation",),
    ("commands",),
    ("cli",),
    ("__main__",),
)
RANKS = {name: rank for rank, names in enumerate(LAYERS) for name in names}

HEAVY = {"torch", "docker", "ray"}
WORKER_MAY = {"torch", "numpy", "safetensors"}
# Loaded in the processes that execute a notebook, never in the fork server.
JUPYTER = {"ipykernel", "jupyter_client", "nbclient", "nbformat", "traitlets"}
JUPYTER_USERS = {"kernel.py", "runner.py"}
# The wire format exists once, in the worker: frames in `wire`, the tree of values in `values`. The judge speaks it.
WIRE = {"grader.worker.wire", "grader.worker.values"}
# One vocabulary, one file: splitting it would only add a second place to look.
LONGER = {"model.py": 540}

FILES = sorted(path for path in PACKAGE.rglob("*.py"))
BY_NAME = [pytest.param(path, id=str(path.relative_to(ROOT))) for path in FILES]
WORKER = [pytest.param(path, id=path.name) for path in FILES if PACKAGE / "worker" in path.parents]
FRONT = PACKAGE / "__init__.py"
"""Names the Python interface, and imports it where somebody asks for a name."""
ABOVE = [
    pytest.param(path, id=str(path.relative_to(ROOT)))
    for path in FILES
    if PACKAGE / "worker" not in path.parents and path != FRONT
]


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _unit(module: str) -> str:
    """The name that has a layer: `grader.judge.compare` -> `judge`, `grader` itself -> `grader`."""
    return module.split(".")[1] if "." in module else module


def _targets(node: ast.AST, path: Path) -> list[str]:
    """The modules that one statement imports, absolute."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        package = _module(path).split(".")
        package = package if path.name == "__init__.py" else package[:-1]
        base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
    # `from grader import config` imports a module; `from grader.text import shorten` a name.
    return [f"{base}.{alias.name}" if base == "grader" and _is_module(alias.name) else base for alias in node.names]


def _is_module(name: str) -> bool:
    return (PACKAGE / f"{name}.py").exists() or (PACKAGE / name).is_dir()


def _imports(path: Path) -> Iterator[str]:
    """Everything that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        yield from _targets(node, path)


def _imports_at_load(path: Path) -> Iterator[str]:
    """What importing the file imports: everything outside functions, class bodies and conditions included."""
    stack: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _is_type_checking(node):
            continue
        yield from _targets(node, path)
        stack.extend(ast.iter_child_nodes(node))


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@pytest.mark.parametrize("path", ABOVE)
def test_imports_point_down(path: Path) -> None:
    here = _unit(_module(path))
    assert here in RANKS, f"give {here!r} a place in LAYERS"
    for target in _imports(path):
        if target.split(".")[0] != "grader" or (target in WIRE and here == "judge"):
            continue
        there = _unit(target)
        assert there in RANKS, f"{path.name} imports {target}, which has no place in LAYERS"
        assert there == here or RANKS[there] < RANKS[here], f"{path.name} imports {target}: layers point down"


def test_importing_grader_imports_nothing_else() -> None:
    """It is part of the image, and of every command's start."""
    code = "import sys; before = {*sys.modules}; import grader; print(*({*sys.modules} - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name for name in done.stdout.split() if name.partition(".")[0] not in sys.stdlib_module_names}
    assert loaded == {"grader"}
    assert not [name for name in _imports_at_load(FRONT) if name.partition(".")[0] not in sys.stdlib_module_names]


@pytest.mark.parametrize("path", WORKER)
def test_the_worker_imports_itself_and_what_the_image_has(path: Path) -> None:
    for target in _imports(path):
        top = target.split(".")[0]
        inside = target == "grader.worker" or target.startswith("grader.worker.")
        may = WORKER_MAY | JUPYTER if path.name in JUPYTER_USERS else WORKER_MAY
        assert inside or top in may or top in sys.stdlib_module_names, f"{path.name} imports {target}"


@pytest.mark.parametrize("path", ABOVE)
def test_heavy_libraries_are_imported_inside_functions(path: Path) -> None:
    assert not {target.split(".")[0] for target in _imports_at_load(path)} & HEAVY


@pytest.mark.parametrize("module", sorted(WIRE))
def test_the_wire_format_loads_without_torch(module: str) -> None:
    """The judge imports it, and a judge without torch starts a second sooner."""
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    for target in _imports_at_load(path):
        assert target in WIRE or target.split(".")[0] in sys.stdlib_module_names


def test_nothing_below_the_judge_loads_what_help_must_not_wait_for() -> None:
    below = [_module(path) for path in FILES if RANKS.get(_unit(_module(path)), 99) <= RANKS["reports"]]
    light = [name for name in below if not name.startswith("grader.sandbox")]
    slow = sorted(HEAVY | {"numpy", "jsonschema", "pytest"})
    code = f"import sys\nfor name in {light!r}: __import__(name)\nprint(*({{*{slow!r}}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_no_layer_is_named_twice() -> None:
    assert len(RANKS) == sum(map(len, LAYERS))


@pytest.mark.parametrize("path", BY_NAME)
def test_every_file_says_why_it_exists_and_stays_short(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(source)), "a module opens with a docstring"
    assert source.count("\n") <= LONGER.get(path.name, 300)
