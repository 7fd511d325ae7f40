"""What a session can be asked to do with the candidate's code: one small function for each verb.

Everything here runs in the candidate's process and may be lied to by it; the judge uses the answers
as evidence only where a lie gains nothing.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn

from grader.worker.wire import ProtocolError


class NotAvailable(Exception):
    """The contract's function, method or kind of object is not there."""


def seed_everything(seed: int) -> None:
    """Seeds Python, numpy and torch (CUDA included), so that a repeated call repeats its randomness."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is what candidates use
    torch.default_generator.manual_seed(seed)  # torch.manual_seed formats a stack trace for each call (0.4 ms)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # torch has no type for it
        torch.cuda.manual_seed_all(seed)


def function(namespace: Mapping[str, Any], name: str) -> Callable[..., Any]:
    """The candidate's function `name`. Raises NotAvailable."""
    found = namespace.get(name)
    if found is None:
        raise NotAvailable(f"there is no function {name} in the entry file")
    if not callable(found):
        raise NotAvailable(f"{name} is not a function but {_kind(found)}")
    return found  # type: ignore[no-any-return]  # checked by callable()


def method(target: Any, name: str) -> Callable[..., Any]:
    """The bound method `name` of a candidate's object. Raises NotAvailable."""
    found = getattr(target, name, None)
    if not callable(found):
        raise NotAvailable(f"{_kind(target)} has no method {name}")
    return found  # type: ignore[no-any-return]  # checked by callable()


def module(target: Any) -> nn.Module:
    """`target` if it is an nn.Module. Raises NotAvailable."""
    if not isinstance(target, nn.Module):
        raise NotAvailable(f"expected an nn.Module, got {_kind(target)}")
    return target


def set_mode(target: Any, *, training: bool) -> None:
    """Puts a module in training or evaluation mode."""
    module(target).train(training)


def parameters(target: Any) -> dict[str, int]:
    """Counts of a module: all parameter elements, trainable ones, and parameter tensors."""
    found = list(module(target).parameters())
    return {
        "count": sum(p.numel() for p in found),
        "trainable": sum(p.numel() for p in found if p.requires_grad),
        "tensors": len(found),
    }


def state(target: Any) -> dict[str, torch.Tensor]:
    """The tensors of `state_dict`."""
    return {str(k): v for k, v in module(target).state_dict().items() if isinstance(v, torch.Tensor)}


def load_state(target: Any, source: Any) -> None:
    """Saves the state of `source` to bytes, reads them back and loads them into `target`, strictly."""
    buffer = io.BytesIO()
    torch.save(module(source).state_dict(), buffer)
    buffer.seek(0)
    module(target).load_state_dict(torch.load(buffer, weights_only=True))


LOSSES: Mapping[str, Callable[[torch.Tensor, Any], torch.Tensor]] = {
    "cross_entropy": lambda output, target: nn.functional.cross_entropy(
        output.reshape(-1, output.shape[-1]), target.reshape(-1)
    ),
    "mean_square": lambda output, _target: output.square().mean(),
}
"""The fixed losses of `gradient`, by name: no callable ever crosses the wire."""


def gradient(target: Any, inputs: list[Any], loss_name: str, labels: Any) -> dict[str, Any]:
    """One forward and backward pass of a module: the loss and what reached its trainable tensors."""
    net = module(target)
    if loss_name not in LOSSES:
        raise ProtocolError(f"unknown loss {loss_name!r}")
    trainable = [p for p in net.parameters() if p.requires_grad]
    kept = [p.grad for p in trainable]
    for parameter in trainable:
        parameter.grad = None
    loss = LOSSES[loss_name](first_tensor(net(*inputs)), labels)
    loss.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
    missing = sum(p.grad is None for p in trainable)
    zero = sum(p.grad is not None and not bool(p.grad.any()) for p in trainable)
    for parameter, grad in zip(trainable, kept, strict=True):
        parameter.grad = grad
    return {"loss": float(loss.detach()), "total": len(trainable), "missing": missing, "zero": zero}


def first_tensor(value: Any) -> torch.Tensor:
    """The first tensor of an answer: any extra return values are ignored by contract."""
    if isinstance(value, torch.Tensor):
        return value
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    for item in items:
        try:
            return first_tensor(item)
        except NotAvailable:
            continue
    raise NotAvailable(f"expected a tensor, got {_kind(value)}")


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"an object of type {type(value).__name__[:64]}"
