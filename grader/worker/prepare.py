"""Gets this process ready before any candidate byte arrives: descriptors, signals, torch, memory.

Forking after a parent used several OpenMP threads hangs the child (PyTorch issue 17199), so the server
sets one thread before any tensor work and never touches CUDA. A first training step fills torch's caches, so that a
forked child trains after milliseconds.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import resource
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.worker import dynamo

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
FIRST_PRIVATE_FD = 512


def private_descriptors() -> tuple[int, int]:
    """Moves standard input and output to high descriptors that no child inherits through exec.

    Descriptor 0 becomes /dev/null and 1 becomes a copy of 2, so that a stray print in this process is
    a log line and never a frame.
    """
    receive = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE_FD)
    send = fcntl.fcntl(1, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE_FD)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return receive, send


def lower_limits(limits: Mapping[str, int]) -> None:
    """Lowers resource limits by name ("CORE", "FSIZE", ...), where there is no container that sets them."""
    for name, value in limits.items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        _, hard = resource.getrlimit(number)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(number, (bound, bound))


def prctl(option: int, value: int) -> bool:
    """prctl(2) where it exists; False elsewhere (macOS)."""
    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)
    except (AttributeError, OSError):
        return False


def harden_server() -> None:
    """Makes this process untouchable for its children: no ptrace, no /proc/PID/mem or fd, no interrupt.

    As PID 1 of a container it is immune to their signals except those it handles, so it handles none.
    """
    prctl(PR_SET_DUMPABLE, 0)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_IGN)


def soften_child() -> None:
    """Undoes in a forked child what only the server needs, and makes it the first to die when memory ends."""
    prctl(PR_SET_DUMPABLE, 1)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    with contextlib.suppress(OSError):  # not Linux: the order of dying is only a kindness
        Path("/proc/self/oom_score_adj").write_text("1000")


@contextlib.contextmanager
def to_stay() -> Iterator[None]:
    """The garbage collector rests, and leaves what came meanwhile alone for good.

    What an import brings stays: looking through it again and again takes a sixth of the time of importing torch, and
    in a forked child costs a copy of each page.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@to_stay()
def warm_up(*, gpu: bool = False) -> None:
    """Imports torch and runs one tiny training step on one thread.

    With `gpu` the settings are those under which CUDA repeats itself and rounds as a CPU does, as far as it can.
    """
    import safetensors.torch  # noqa: F401 - imported for its side effect before the fork
    import torch

    from grader.worker import verbs

    dynamo.postpone()
    torch.set_num_threads(1)
    verbs.seed_everything(0)  # every child's first step, which imports numpy.random
    if gpu:
        _settle_cuda()
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 2))
    optimizer = torch.optim.Adam(net.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(torch.rand(2, 1, 8, 8)), torch.tensor([0, 1])).backward()  # type: ignore[no-untyped-call]  # as in verbs
        optimizer.step()


def _settle_cuda() -> None:
    """Full float32 and repeatable kernels, with a warning where there is none. Makes no context: a fork would break it.

    cuBLAS reads its workspace from the environment, which the sandbox sets. Code that asks for TF32 itself gets it.
    """
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a cost of every torch.empty
