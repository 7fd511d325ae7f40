"""What can happen to a sandbox's torch, each in a process of its own: `python -m tests.worker.compiler_cases`.

Prints one JSON object: for each function below the name of the error that it raised, or "", and whether torch's
compiler was still postponed at its end. The processes are forked from one that is ready as a sandbox's first is.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import unittest
import warnings
from collections.abc import Callable
from typing import Any

from grader.worker import dynamo, loading, prepare

CASES: list[Callable[[], None]] = []


def case(function: Callable[[], None]) -> Callable[[], None]:
    """Adds a case."""
    CASES.append(function)
    return function


def _net(torch: Any) -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2))


def _backward(torch: Any, net: Any) -> Any:
    loss = torch.nn.functional.cross_entropy(net(torch.ones(4, 3)), torch.tensor([0, 1, 0, 1]))
    loss.backward()
    return loss


@case
def trains() -> None:
    """Every optimiser, and what belongs to a training."""
    import torch

    net = _net(torch)
    for name in ("Adam", "AdamW", "SGD", "RMSprop", "Adagrad", "NAdam", "RAdam", "Adamax", "Adadelta", "ASGD", "Rprop"):
        before = [p.detach().clone() for p in net.parameters()]
        optimizer = getattr(torch.optim, name)(net.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 3)
        optimizer.zero_grad()
        _backward(torch, net)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        optimizer.load_state_dict(optimizer.state_dict())
        assert any(not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)), name
        assert all(p.grad_fn is None for p in net.parameters()), name
        assert torch.is_grad_enabled()


@case
def trains_by_closure() -> None:
    """The one optimiser that evaluates the loss itself, and two forms of Adam."""
    import torch

    net = _net(torch)
    optimizer: Any = torch.optim.LBFGS(net.parameters())
    optimizer.step(lambda: _backward(torch, net))
    torch.optim.Adam(net.parameters(), fused=True).step()
    torch.optim.Adam(net.parameters(), foreach=True, amsgrad=True).step()


@case
def scripts() -> None:
    """What else is done with models."""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    net = _net(torch).eval()
    torch.jit.script(net)(torch.ones(2, 3))
    torch.optim.swa_utils.AveragedModel(net).update_parameters(net)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        net(torch.ones(2, 3))
    assert len(list(DataLoader(TensorDataset(torch.ones(4, 3)), 2, num_workers=1))) == 2
    torch.nn.Transformer(8, 2, 1, 1, 16)(torch.ones(2, 1, 8), torch.ones(2, 1, 8))


@case
def looks_around() -> None:
    """A look through all modules is no use of one of them."""
    with unittest.TestCase().assertWarns(UserWarning):
        warnings.warn("x", stacklevel=1)


@case
def compiles() -> None:
    """The compiler where it is asked for, after a training without it."""
    import torch

    net = _net(torch)
    optimizer = torch.optim.Adam(net.parameters())
    _backward(torch, net)
    optimizer.step()
    seen: list[Any] = []

    def backend(graph: Any, _inputs: Any) -> Any:
        seen.append(graph)
        return graph.forward

    assert torch.equal(torch.compile(lambda x: x * 2, backend=backend)(torch.ones(3)), torch.full((3,), 2.0))
    assert len(seen) == 1, "it was compiled"
    optimizer.step()
    optimizer.zero_grad()
    assert sys.modules["torch._dynamo"] is torch._dynamo
    zero_grad: Any = type(optimizer).zero_grad
    assert zero_grad.__wrapped__.__dynamo_disable._disabled is not None, "kept from being compiled"


@case
def imports_below() -> None:
    """A module below it is loaded once: what is set there is what the compiler reads."""
    import torch._dynamo
    from torch._dynamo.config import recompile_limit

    whole: Any = torch._dynamo
    assert whole.config is sys.modules["torch._dynamo.config"]
    with whole.config.patch(recompile_limit=recompile_limit + 1):
        assert whole.utils.config.recompile_limit == recompile_limit + 1


@case
def imports_a_package_below() -> None:
    """As before, of a module that keeps a spec."""
    import torch._dynamo.backends.registry

    registry = sys.modules["torch._dynamo.backends.registry"]
    assert torch._dynamo.backends.registry is registry
    assert registry.__spec__ is not None
    assert registry.__spec__.origin == registry.__file__
    assert not [finder for finder in sys.meta_path if type(finder).__module__ == dynamo.__name__]


@case
def imports_what_is_not_there() -> None:
    """As Python says it."""
    try:
        importlib.import_module("torch._dynamo.no_such_module")
    except ModuleNotFoundError as error:
        assert error.name == "torch._dynamo.no_such_module"
    else:
        raise AssertionError


@case
def asks_in_threads() -> None:
    """Several threads at once see the whole module."""
    import torch

    failed: list[BaseException] = []

    def ask() -> None:
        try:
            assert callable(torch._dynamo.reset)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall say it
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


@case
def is_mentioned() -> None:
    """A file that mentions the compiler has it before the fork, so that not each check imports it."""
    loading.preimport({"a.py": b"import torch\nnet = torch.compile(net)\n"})


@case
def is_not_mentioned() -> None:
    """Regular expressions are compiled too."""
    loading.preimport({"a.py": b"import re\nx = re.compile('a')\n", "notes.md": b"torch.compile"})


def main() -> None:
    """Runs each case in a fork."""
    prepare.warm_up()
    found: dict[str, Any] = {"warm_up": ["", dynamo.is_postponed()]}
    for function in CASES:
        reader, writer = os.pipe()
        if os.fork() == 0:
            error = ""
            try:
                function()
            except BaseException as caught:  # noqa: BLE001 - whatever it is, the test shall say it
                error = f"{type(caught).__name__}: {caught}"
            os.write(writer, json.dumps([error, dynamo.is_postponed()]).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            found[function.__name__] = json.loads(pipe.read() or '["it died", false]')
        os.wait()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
