"""What a suite may use (docs/writing-tasks.md): comparisons and small maths, all on plain numpy arrays.

The names are resolved when they are first used: the command line imports this package too, and needs no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.judge import compare, maths
    from grader.judge.compare import partial, require
    from grader.judge.maths import cross_entropy, log_softmax, logsumexp, softmax

__all__ = ["compare", "cross_entropy", "log_softmax", "logsumexp", "maths", "partial", "require", "softmax"]

_HOMES = dict.fromkeys(("partial", "require"), "compare") | dict.fromkeys(
    ("cross_entropy", "log_softmax", "logsumexp", "softmax"), "maths"
)


def __getattr__(name: str) -> Any:
    """PEP 562."""
    if name in ("compare", "maths"):
        return import_module(f"grader.judge.{name}")
    if name in _HOMES:
        return getattr(import_module(f"grader.judge.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
