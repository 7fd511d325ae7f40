"""Leaves torch's compiler unimported until something is compiled: a second of CPU and a quarter of a sandbox's memory.

The first optimiser that is made imports `torch._dynamo`, although ordinary training asks it for two things only: to
break a graph, which does nothing while none is recorded, and to keep functions of the optimiser from being compiled,
which they are not where there is no compiler. The stand-in answers these two. Whatever else is asked of it, by torch or
by a candidate, is answered by the real module, imported at that moment, and from then on the stand-in is gone.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

NAME: Final = "torch._dynamo"


def postpone() -> None:
    """Puts the stand-in where torch looks for its compiler; does nothing where that is imported already, or absent."""
    spec = None if NAME in sys.modules else importlib.util.find_spec(NAME)
    if spec is not None:
        sys.modules[NAME] = _StandIn(spec)


def is_postponed() -> bool:
    """True while torch would find the stand-in."""
    return isinstance(sys.modules.get(NAME), _StandIn)


def real() -> ModuleType:
    """The real module, imported where it was not. Raises what that raises."""
    if is_postponed():
        sys.modules.pop(NAME, None)
    return importlib.import_module(NAME)


class _StandIn(ModuleType):
    """What `import torch._dynamo` finds."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(NAME)
        self.__spec__, self.__file__ = spec, spec.origin

    def graph_break(self, *_args: Any, **_kwargs: Any) -> None:
        """Does nothing, as the real one outside of a compilation."""

    def disable(self, *args: Any, **kwargs: Any) -> Any:
        """The answer to torch's own decorator, the only one to ask in this way; anybody else's is the real one's."""
        if kwargs == {"wrapping": False}:
            return _Uncompiled(*args)
        return real().disable(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Anything else is the real module's; Python asks for `__path__` before it imports a module below."""
        if name.startswith("__") and name not in ("__path__", "__all__"):
            raise AttributeError(name)  # of whoever looks through all modules, e.g. to reset their warnings
        module = real()
        if name == "__path__":
            sys.meta_path.insert(0, _AlreadyImported())
        return getattr(module, name)


class _Uncompiled:
    """A function that must not be compiled: called as it is, and as the real module has it as soon as that is there."""

    def __init__(self, fn: Callable[..., Any], *how: Any) -> None:
        self._fn, self._how = fn, how
        self._disabled: Callable[..., Any] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._disabled is None:
            if is_postponed():
                return self._fn(*args, **kwargs)
            self._disabled = real().disable(self._fn, *self._how, wrapping=False)
        return self._disabled(*args, **kwargs)


class _AlreadyImported(MetaPathFinder, Loader):
    """Answers the import of a module below, which the real one has just brought along: Python would load it again."""

    def find_spec(self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None) -> Any:
        """See MetaPathFinder. Answers once."""
        sys.meta_path.remove(self)
        self._module = sys.modules.get(name) if name.startswith(f"{NAME}.") else None
        self._spec = self._module.__spec__ if self._module else None
        return ModuleSpec(name, self) if self._module else None

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        """See Loader."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """See Loader. It has been executed; only its spec has become ours, where it let us."""
        with contextlib.suppress(AttributeError):  # torch's modules of settings take nothing but settings
            module.__spec__ = self._spec
