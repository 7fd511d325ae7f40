"""Submissions of the task `adder` with one fault each, and the outcome that each check must have.

The keys are what goes wrong; the values are the source of adder.py and the outcomes of the checks `adds_public`,
`adds_again` and `doubles`.
"""

from __future__ import annotations

GOOD = """
import torch
from torch import nn

def add(a, b):
    return a + b

class Double(nn.Module):
    def forward(self, x):
        return 2 * x

def build():
    return Double()
"""

_MODULE = GOOD.partition("class Double")[1] + GOOD.partition("class Double")[2]
_HEAD = "import os, sys, time, torch\nfrom torch import nn\n"


def _with_add(body: str) -> str:
    """A submission whose `add` has `body`; its module is right."""
    return f"{_HEAD}\ndef add(a, b):\n    {body}\n\n{_MODULE}"


FAULTS: dict[str, tuple[str, tuple[str, str, str]]] = {
    "syntax_error": ("def add(a, b:\n    return a", ("invalid", "invalid", "invalid")),
    "null_bytes": ("def add(a, b):\0 return a", ("invalid", "invalid", "invalid")),
    "import_error": ("import no_such_package\n" + GOOD, ("raised", "raised", "raised")),
    "exit_at_import": ("import sys\nsys.exit(0)\n" + GOOD, ("raised", "raised", "raised")),
    "wrong_function_name": (GOOD.replace("def add", "def plus"), ("invalid", "invalid", "passed")),
    "not_a_function": (GOOD.replace("def add(a, b):\n    return a + b", "add = 3"), ("invalid", "invalid", "passed")),
    "raises": (_with_add("raise ValueError('no')"), ("raised", "raised", "passed")),
    "wrong_type": (_with_add("return 'sum'"), ("failed", "failed", "passed")),
    "none": (_with_add("return None"), ("failed", "failed", "passed")),
    "wrong_shape": (_with_add("return (a + b).sum()"), ("failed", "failed", "passed")),
    "nan": (_with_add("return (a + b) * float('nan')"), ("failed", "failed", "passed")),
    "integers": (_with_add("return (a + b).long()"), ("failed", "failed", "passed")),
    "hangs": (_with_add("while True: pass"), ("timeout", "timeout", "passed")),
    "sleeps": (_with_add("time.sleep(1000)"), ("timeout", "timeout", "passed")),
    "exits": (_with_add("os._exit(0)"), ("crashed", "crashed", "passed")),
    "system_exit": (_with_add("sys.exit(0)"), ("raised", "raised", "passed")),
    "kills_itself": (_with_add("os.kill(os.getpid(), 9)"), ("crashed", "crashed", "passed")),
    "floods": (_with_add("while True: print('x' * 100000)"), ("output_limit", "output_limit", "passed")),
    "recursion": (_with_add("return add(a, b)"), ("raised", "raised", "passed")),
    "huge_answer": (_with_add("return torch.zeros(1).expand(2**40)"), ("output_limit", "output_limit", "passed")),
    "prints_much": (_with_add("print('x' * 1000000); return a + b"), ("passed", "passed", "passed")),
}

BOMBS: dict[str, tuple[str, tuple[str, str, str]]] = {
    "eats_memory": (
        _with_add("x = []\n    while True: x.append(bytearray(2**24))"),
        ("memory", "memory", "passed"),
    ),
    "forks_without_end": (
        _with_add("while True:\n        try: os.fork()\n        except OSError: pass"),
        ("timeout", "timeout", "passed"),
    ),
}
"""Faults that only a container may be asked to hold."""
