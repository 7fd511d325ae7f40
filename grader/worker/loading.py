"""Puts a submission's files into a folder of this process's own and executes the entry file as a module.

Nothing here runs in the fork server: only a forked child ever touches candidate code.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, ModuleType

from grader.worker import dynamo, prepare

MAX_SOURCE_BYTES = 5 * 1024**2
PREIMPORTED = ("matplotlib.pyplot", "einops", "tqdm", "tqdm.auto", "torch.utils.data", "dataclasses", "PIL.Image")
"""Slow imports of packages that the image has; see `preimport`."""
COMPILES = re.compile(rb"(?<!\bre)\.compile\b|_dynamo|_inductor|functorch|\btorch\.func\b|\bvmap\b|utils\.checkpoint")
"""What a file mentions that makes torch import its compiler."""


class CannotLoad(Exception):
    """There is nothing to execute: no such file, not Python, not UTF-8."""


def preimport(files: Mapping[str, bytes]) -> None:
    """Imports, before any fork, those well-known packages that the submission mentions.

    Each check loads the candidate's file in a fresh process, and importing matplotlib alone takes half a second.
    The submission is only searched for fixed words here; which modules can be imported is our list, not its choice.
    """
    text = b"\n".join(content for name, content in files.items() if name.endswith(".py"))
    with prepare.to_stay():
        for name in PREIMPORTED:
            if name.partition(".")[0].encode() in text:
                with contextlib.suppress(Exception):  # absent or broken: the candidate's own import will say so
                    importlib.import_module(name)
        if COMPILES.search(text):
            with contextlib.suppress(Exception):
                dynamo.real()


def write_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Writes `files` (POSIX paths relative to `root`, checked by intake) below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def load_entry(root: Path, entry: str) -> ModuleType:
    """The executed module of `entry`, a path below `root`.

    `root` and the entry's folder are put on `sys.path`, the working folder becomes the entry's, and
    `__file__` is set. Raises CannotLoad where the file is not Python; what the candidate's code raises
    passes through.
    """
    path = root / entry
    folder = path.parent
    for item in (str(root), str(folder)):
        if item not in sys.path:
            sys.path.insert(0, item)
    os.chdir(folder)
    code = _compile(path)
    name = path.stem if path.stem.isidentifier() and path.stem not in sys.modules else "submission_entry"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None:
        raise CannotLoad(f"{entry} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # DataLoader workers and pickle look classes up by module name
    exec(code, module.__dict__)  # noqa: S102 - executing the candidate's file is what a sandbox is for
    return module


def _compile(path: Path) -> CodeType:
    try:
        source = path.read_bytes()
        if len(source) > MAX_SOURCE_BYTES:
            raise CannotLoad(f"{path.name} is larger than {MAX_SOURCE_BYTES} bytes")
        return compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f" in line {error.lineno}" if error.lineno else ""
        raise CannotLoad(f"{path.name} is not valid Python: {error.msg}{line}") from None
    except (ValueError, RecursionError, MemoryError, OSError) as error:
        raise CannotLoad(f"{path.name} cannot be read as Python: {type(error).__name__}") from None
