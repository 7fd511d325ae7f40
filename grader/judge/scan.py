"""Which names of other packages some functions of a submission can reach, by reading its source. Run as a file.

A program of its own (standard library only) that `grader.judge.source` starts for each scan: parsing hostile source can
exhaust memory, time or the stack of the parser, and must then hurt nobody else. Nothing of the source is executed.

Standard input: {"files": {path: text}, "entry": path, "within": [names]}, as JSON. Standard output: {"names": [...],
"blind": bool} where `blind` says that something could not be followed: source that is not Python, exec or eval.
"""

from __future__ import annotations

import ast
import json
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

CPU_S: Final = 5
MEMORY_BYTES: Final = 1024**3
MAX_NAMES, MAX_NAME = 500, 200
MAX_VISITS: Final = 20_000
DYNAMIC: Final = frozenset({"exec", "eval", "compile", "__import__", "importlib.import_module"})


@dataclass
class Module:
    """One file of the submission: what its top level binds, by name."""

    path: str
    nodes: dict[str, list[ast.AST]] = field(default_factory=dict)
    """Functions, classes and values of assignments; every binding of a name counts."""
    imports: dict[str, str] = field(default_factory=dict)
    """Local name -> dotted name, wherever in the file the import stands."""
    stars: list[str] = field(default_factory=list)


def code_of(path: str, text: str) -> str:
    """The Python of a file: of a notebook its code cells, without the lines that are meant for IPython."""
    if not path.endswith(".ipynb"):
        return text
    lines: list[str] = []
    for cell in json.loads(text)["cells"]:
        if cell.get("cell_type") == "code" and not "".join(cell["source"]).lstrip().startswith("%%"):
            lines += "".join(cell["source"]).splitlines()
    return "\n".join(_without_magic(line) for line in lines)


def _without_magic(line: str) -> str:
    start = line.lstrip()
    return line[: len(line) - len(start)] + "pass" if start.startswith(("%", "!")) else line


def read(path: str, text: str) -> Module:
    """Parses a file. Raises SyntaxError, ValueError, RecursionError, MemoryError."""
    module = Module(path)
    tree = ast.parse(code_of(path, text))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                first = item.name.partition(".")[0]
                module.imports[item.asname or first] = item.name if item.asname else first
        elif isinstance(node, ast.ImportFrom):
            _read_from(module, node)
    for node in _top_level(tree.body):
        for name, bound in _bindings(node):
            module.nodes.setdefault(name, []).append(bound)
    return module


def _read_from(module: Module, node: ast.ImportFrom) -> None:
    folder = module.path.split("/")[: -node.level] if node.level else []
    base = ".".join([*folder, *([node.module] if node.module else [])])
    for item in node.names:
        if item.name == "*":
            module.stars.append(base)
        else:
            module.imports[item.asname or item.name] = f"{base}.{item.name}" if base else item.name


def _top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of the module, those in its if, try, with and loop blocks included."""
    for node in body:
        yield node
        for part in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _top_level(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from _top_level(handler.body)


def _bindings(node: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name, node
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    value = getattr(node, "value", None)
    if not isinstance(value, ast.AST):
        return
    for target in targets:
        for part in ast.walk(target) if isinstance(target, ast.AST) else ():
            if isinstance(part, ast.Name):
                yield part.id, value


class Scan:
    """A walk from functions to everything that they mention."""

    def __init__(self, files: dict[str, str], entry: str) -> None:
        self._files, self._entry = files, entry
        self._modules: dict[str, Module | None] = {}
        self._seen: set[tuple[str, str]] = set()
        self._queue: list[tuple[Module, str]] = []
        self.names: set[str] = set()
        self.blind = False

    def run(self, within: list[str]) -> None:
        """Follows every name of `within` that the entry file binds."""
        entry = self._module(self._entry)
        if entry is not None:
            for name in within:
                self._refer(entry, name)
        while self._queue:
            module, name = self._queue.pop()
            for node in module.nodes.get(name, []):
                self._walk(module, node)

    def _module(self, path: str) -> Module | None:
        if path not in self._modules:
            try:
                self._modules[path] = read(path, self._files[path])
            except (SyntaxError, ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError):
                self._modules[path] = None
                self.blind = True
        return self._modules[path]

    def _walk(self, module: Module, node: ast.AST) -> None:
        inner: set[int] = set()
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute | ast.Name) and id(part) not in inner:
                dotted, chain = _dotted(part)
                inner |= chain
                if dotted:
                    self._refer(module, dotted)
            elif isinstance(part, ast.Call) and (dotted := _by_getattr(part)):
                self._refer(module, dotted)

    def _refer(self, module: Module, dotted: str) -> None:
        """A mention of `dotted` in `module`: followed where it is the submission's own, else kept as a name."""
        if (module.path, dotted) in self._seen or len(self._seen) >= MAX_VISITS:
            return
        self._seen.add((module.path, dotted))
        first, _, rest = dotted.partition(".")
        if first in module.nodes:
            self._queue.append((module, first))
        if first in module.imports:
            whole = module.imports[first] + (f".{rest}" if rest else "")
            self._refer_global(whole)
        elif first not in module.nodes:
            self.blind = self.blind or dotted in DYNAMIC
            for star in module.stars:
                self._refer_global(f"{star}.{dotted}")

    def _refer_global(self, dotted: str) -> None:
        self.blind = self.blind or dotted in DYNAMIC
        parts = dotted.split(".")
        for length in range(len(parts), 0, -1):
            path = self._own_file(parts[:length])
            if path is not None:
                module = self._module(path)
                if module is not None and length < len(parts):
                    self._refer(module, ".".join(parts[length:]))
                return
        self.names.add(dotted)

    def _own_file(self, parts: list[str]) -> str | None:
        """The submission's file of a dotted module: below its root, or below the entry's folder."""
        folder = self._entry.rpartition("/")[0]
        for base in ("", f"{folder}/" if folder else ""):
            for tail in (".py", "/__init__.py"):
                if (path := base + "/".join(parts) + tail) in self._files:
                    return path
        return None


def _dotted(node: ast.Attribute | ast.Name) -> tuple[str, set[int]]:
    """The text a.b.c of an attribute chain that starts at a name (else nothing), and the ids of its inner nodes."""
    names: list[str] = []
    inner: set[int] = set()
    current: ast.expr = node
    while isinstance(current, ast.Attribute):
        names.append(current.attr)
        current = current.value
        inner.add(id(current))
    if not isinstance(current, ast.Name):
        return "", set()
    return ".".join([current.id, *reversed(names)]), inner


def _by_getattr(call: ast.Call) -> str:
    """The text F.name of getattr(F, "name"), else nothing."""
    plain = isinstance(call.func, ast.Name) and call.func.id == "getattr" and len(call.args) >= 2
    if not plain or not isinstance(call.args[0], ast.Attribute | ast.Name):
        return ""
    name = call.args[1]
    dotted, _ = _dotted(call.args[0])
    return f"{dotted}.{name.value}" if dotted and isinstance(name, ast.Constant) and isinstance(name.value, str) else ""


def main() -> None:
    """Reads one order, limits itself, scans, answers."""
    order = json.load(sys.stdin)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    scan = Scan(order["files"], order["entry"])
    try:
        scan.run(order["within"])
    except (RecursionError, MemoryError):
        scan.blind = True
    names = sorted(name[:MAX_NAME] for name in scan.names)[:MAX_NAMES]
    json.dump({"names": names, "blind": scan.blind}, sys.stdout)


if __name__ == "__main__":
    main()
