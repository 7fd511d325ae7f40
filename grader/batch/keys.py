"""What a result depends on, as one digest: a stored result whose key fits is the result that grading would give.

A key names a task of a submission, not the submission: when one rubric changes, the results of the others still fit.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final

from grader import __version__
from grader.config import Settings
from grader.digest import digest_files
from grader.model import Submission, Task
from grader.sandbox.passthrough import offered

_PACKAGE: Final = Path(__file__).resolve().parents[1]
_SHOWS_ONLY: Final = (
    "batch", "cli.py", "commands", "doctor.py", "kit.py", "progress.py", "reports", "review", "runners", "store.py",
    "validation.py", "verify.py",
)  # fmt: skip
"""Parts of the package that no result depends on: they carry, keep and show results."""
_VERSIONS: Final = ("numpy", "pytest", "safetensors", "torch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What all results of one run of a batch depend on, besides task and submission."""

    settings: Settings
    seed: int
    image: str
    """The engine's id of the sandbox image; "" for the process backend."""
    devices: tuple[str, ...]
    """Models of the GPUs that may be used; two of one model count as the same."""

    def key(self, task: Task, submission: Submission) -> str:
        """The key of the result of one task; SHA-256 in hex."""
        common = {"code": code_digest(), "task": task.sha256, "kind": task.kind, "submission": submission.sha256}
        return _digest(common | (self._written() if task.kind == "written" else self._code(task, submission)))

    def _code(self, task: Task, submission: Submission) -> dict[str, object]:
        settings, entry = self.settings, submission.entries[task.id]
        return {
            "id": task.id,
            "entry": [entry.path, entry.kind, entry.problem],
            "backend": settings.backend,
            "image": self.image,
            "runtime": settings.runtime,
            "limits": [settings.memory_mb, settings.cpus],
            "devices": self.devices if task.gpu != "none" else (),
            "seed": self.seed,
            "versions": _versions(),
        }

    def _written(self) -> dict[str, object]:
        settings = self.settings
        return {"llm": [settings.llm_base_url, settings.llm_model, settings.llm_input_price, settings.llm_output_price]}


def devices_of(settings: Settings) -> tuple[str, ...]:
    """Models of the devices that jobs get under those settings; none where they run on the CPU.

    Raises SandboxUnavailable where GPUs are asked for and cannot be had.
    """
    return tuple(sorted({gpu.name for gpu in offered(settings.gpus, settings.backend).devices}))


def report_key(submission: Submission, parts: Iterable[tuple[str, str]]) -> str:
    """What a report depends on: who, and each task with the key of its result (or why there is none)."""
    about = [submission.id, submission.candidate, submission.sha256, *submission.notes]
    return _digest({"about": about, "tasks": list(parts), "code": _code_digest(everything=True)})


def program() -> list[str]:
    """What makes results here: our code and the packages below it. Two machines must agree on it to share a batch."""
    return [code_digest(), *_versions()]


def code_digest() -> str:
    """SHA-256 over the program that makes results."""
    return _code_digest(everything=False)


@lru_cache(maxsize=2)
def _code_digest(*, everything: bool) -> str:
    skipped = () if everything else _SHOWS_ONLY
    paths = (path.relative_to(_PACKAGE) for path in _PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    wanted = (path for path in paths if path.parts[0] not in skipped)
    return digest_files({path.as_posix(): (_PACKAGE / path).read_bytes() for path in wanted})


@lru_cache(maxsize=1)
def _versions() -> list[str]:
    """Of the judge's side, and of the sandbox's where that is a process here."""
    found = [f"{name} {metadata.version(name)}" for name in _VERSIONS]
    return [__version__, platform.python_version(), *found]


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
