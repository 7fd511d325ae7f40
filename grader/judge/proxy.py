"""The candidate as a suite sees it: calls that cross the border, objects that stay on the other side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from grader.judge.answers import Answer
from grader.judge.tensors import ArgumentPacker, ObjectRef


class Line(Protocol):
    """What a proxy needs of its session: one request, one answer."""

    def ask(self, verb: str, arguments: Mapping[str, Any], value: Any, body: bytes, cpu_s: float | None) -> Any:
        """The unpacked value of the answer. Raises CandidateFault or SandboxDown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterFacts:
    """Parameter counts of a module: elements, trainable elements, tensors."""

    count: int
    trainable: int
    tensors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GradientFacts:
    """One backward pass: the loss, and how many trainable tensors got no gradient (`missing`) or only zeros."""

    loss: float
    total: int
    missing: int
    zero: int


class _Caller:
    """Shared by Candidate and Handle: packs arguments and wraps answers."""

    def __init__(self, line: Line, cpu_s: float | None = None) -> None:
        self._line = line
        self._cpu_s = cpu_s

    def _ask(self, verb: str, arguments: Mapping[str, Any], value: Any = None) -> Answer:
        packer = ArgumentPacker()
        node = packer.node(value)
        result = self._line.ask(verb, arguments, node, packer.body(), self._cpu_s)
        return Answer(result, lambda reference: Handle(self._line, reference))


class Candidate(_Caller):
    """A process with the candidate's entry file loaded."""

    def __init__(self, line: Line, functions: frozenset[str], cpu_s: float | None = None) -> None:
        super().__init__(line, cpu_s)
        self._functions = functions

    def within(self, *, cpu_s: float) -> Candidate:
        """The same candidate with another CPU limit for each call, in seconds."""
        return Candidate(self._line, self._functions, cpu_s)

    def has(self, name: str) -> bool:
        """True where the entry file defines the function `name`."""
        return name in self._functions

    def call(self, name: str, *args: Any, **kwargs: Any) -> Answer:
        """Calls a function of the entry file. Raises CandidateFault."""
        return self._ask("call", {"name": name}, [list(args), kwargs])

    def keep(self, name: str, *args: Any, **kwargs: Any) -> Handle:
        """Calls a function of the entry file and leaves its result where it is, whole: a dict of networks, a tuple.

        Raises CandidateFault, also where the result is None.
        """
        return self._ask("keep", {"name": name}, [list(args), kwargs]).handle(what=f"the result of {name}")

    def perform(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Calls a function of the entry file for its effect, whatever it returns. Raises CandidateFault."""
        self._ask("keep", {"name": name}, [list(args), kwargs])


class Handle(_Caller):
    """An object in the candidate's process."""

    def __init__(self, line: Line, reference: ObjectRef, cpu_s: float | None = None) -> None:
        super().__init__(line, cpu_s)
        self.object_ref = reference

    def within(self, *, cpu_s: float) -> Handle:
        """The same object with another CPU limit for each call, in seconds."""
        return Handle(self._line, self.object_ref, cpu_s)

    def __call__(self, *args: Any, **kwargs: Any) -> Answer:
        """Calls the object without recording gradients."""
        return self.method("__call__", *args, **kwargs)

    def method(self, name: str, *args: Any, **kwargs: Any) -> Answer:
        """Calls a method of the object without recording gradients."""
        return self._ask("method", {**self._target(), "name": name}, [list(args), kwargs])

    def train(self) -> None:
        """Training mode (nn.Module)."""
        self._ask("mode", self._target(), True)

    def eval(self) -> None:
        """Evaluation mode (nn.Module)."""
        self._ask("mode", self._target(), False)

    def parameters(self) -> ParameterFacts:
        """Parameter counts."""
        answer = self._ask("parameters", self._target())
        counts = {name: answer.count(name, what="parameters") for name in ("count", "trainable", "tensors")}
        return ParameterFacts(**counts)

    def gradient(self, inputs: list[Any], *, loss: str, target: npt.NDArray[np.int64] | None = None) -> GradientFacts:
        """One forward and backward pass in the current mode; losses: "cross_entropy", "mean_square"."""
        answer = self._ask("gradient", {**self._target(), "name": loss}, [inputs, target])
        counts = {name: answer.count(name, what="gradient") for name in ("total", "missing", "zero")}
        return GradientFacts(loss=answer.field("loss", what="gradient"), **counts)

    def state(self) -> dict[str, npt.NDArray[Any]]:
        """The tensors of the state dict, by name."""
        return self._ask("state", self._target()).tensors(what="state_dict()")

    def load_state_of(self, other: Handle) -> None:
        """Saves the state of `other` to bytes and loads it here, strictly."""
        self._ask("load_state", {**self._target(), "source": other.object_ref.number})

    def drop(self) -> None:
        """Forgets the object."""
        self._ask("drop", self._target())

    def _target(self) -> dict[str, int]:
        return {"handle": self.object_ref.number}
