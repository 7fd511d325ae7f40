"""Grading of machine-learning interview submissions: hidden tests stay outside, candidate code runs alone.

    from grader import grade, load_task, Report

docs/api.md has the names below. Each is imported when it is first asked for: importing this file imports nothing, as
it is also part of the sandbox image, where nothing else of the package exists but `grader.worker`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.api import check as check
    from grader.api import grade as grade
    from grader.api import load_report as load_report
    from grader.api import load_task as load_task
    from grader.config import Settings as Settings
    from grader.errors import GraderError as GraderError
    from grader.model import Outcome as Outcome
    from grader.model import Report as Report
    from grader.model import Task as Task

__version__ = "0.1.0"

_HOMES = {
    "check": "api",
    "grade": "api",
    "load_report": "api",
    "load_task": "api",
    "Settings": "config",
    "GraderError": "errors",
    "Outcome": "model",
    "Report": "model",
    "Task": "model",
}
__all__ = ["__version__", *_HOMES]  # noqa: PLE0604 -- names of the table


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'grader' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"grader.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
