"""Reading a submission's source: aliases and helpers are followed, hostile source hurts nobody, doubt is said."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest

from grader.judge import source as module
from grader.judge.source import Source

LIBRARY = "torch.nn.functional.scaled_dot_product_attention"


def reached(code: str, helpers: Mapping[str, str] | None = None) -> frozenset[str] | None:
    """What `attention` and `build_mha` of that entry reach; `helpers` are further files, by path."""
    files = {name: text.encode() for name, text in (helpers or {}).items()}
    return Source({"transformer.py": code.encode(), **files}, "transformer.py").calls(("attention", "build_mha"))


CALL = "scaled_dot_product_attention(q, q, q)"
DETOURS = {
    "whole name": f"import torch\ndef attention(q): return torch.nn.functional.{CALL}",
    "alias": f"import torch.nn.functional as F\ndef attention(q): return F.{CALL}",
    "assigned": "from torch.nn import functional as G\nf = G.scaled_dot_product_attention\n"
    "def attention(q): return f(q, q, q)",
    "star": f"from torch.nn.functional import *\ndef attention(q): return {CALL}",
    "getattr": "import torch.nn.functional as F\nname = 0\n"
    "attention = lambda q: getattr(F, 'scaled_dot_product_attention')(q, q, q)",
    "local import": f"def attention(q):\n    from torch.nn import functional as F\n    return F.{CALL}",
    "class and branch": f"import torch.nn.functional as F\nif True:\n    def inner(q): return F.{CALL}\n"
    "class A:\n    def f(self, q): return inner(q)\ndef build_mha(d): return A()",
}


@pytest.mark.parametrize("code", DETOURS.values(), ids=DETOURS.keys())
def test_aliases_and_detours_are_followed(code: str) -> None:
    found = reached(code)
    assert found is not None
    assert LIBRARY in found


def test_helper_modules_are_followed_with_relative_and_star_imports() -> None:
    helpers = {
        "nets/__init__.py": "from .blocks import *",
        "nets/blocks.py": "from .core import Base\nclass MHA(Base): pass",
        "nets/core.py": "from torch import nn\nclass Base(nn.MultiheadAttention): pass",
    }
    found = reached("from nets import MHA\ndef build_mha(d, h): return MHA(d, h)", helpers)
    assert found is not None
    assert "torch.nn.MultiheadAttention" in found


def test_what_other_functions_use_does_not_count() -> None:
    others = "def build_transformer(): return nn.Transformer()"
    code = f"from torch import nn\ndef build_mha(d): return nn.Linear(d, d)\n{others}"
    assert reached(code) == frozenset({"torch.nn.Linear"})


def test_a_notebook_is_read_without_its_magic_lines() -> None:
    cells = [
        {"cell_type": "markdown", "source": "# not (Python"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "!ls\n", "import torch.nn.functional as F\n"]},
        {"cell_type": "code", "source": "def attention(q):\n    return F.scaled_dot_product_attention(q, q, q)"},
        {"cell_type": "code", "source": "%%bash\nls ("},
    ]
    raw = json.dumps({"cells": cells}).encode()
    found = Source({"transformer.ipynb": raw}, "transformer.ipynb").calls(("attention",))
    assert found is not None
    assert LIBRARY in found


@pytest.mark.parametrize(
    "code",
    [
        "def attention(q: return q",
        "def attention(q): return eval('q')",
        "def attention(q): return __import__('torch').nn",
        "import importlib\ndef attention(q): return importlib.import_module('torch')",
        "x = " + "(" * 100_000,
        "x = " + "-" * 500_000 + "1",
        "x = " + "a." * 300_000 + "b",
        "\0",
        "",
    ],
)
def test_where_it_cannot_tell_it_says_so_and_survives(code: str) -> None:
    started = time.monotonic()
    found = reached(code)
    assert found is None or found == frozenset()
    assert time.monotonic() - started < 20


def test_a_scan_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from pathlib import Path

    endless = Path(str(tmp_path)) / "scan.py"
    endless.write_text("while True: pass")
    monkeypatch.setattr(module, "SCAN", endless)
    monkeypatch.setattr(module, "WALL_S", 0.5)
    assert reached("def attention(q): return q") is None


@pytest.mark.parametrize(
    "answer", ["not json", "[]", "{}", '{"names": 3, "blind": false}', '{"names": [], "blind": 1}']
)
def test_an_odd_answer_of_the_child_means_that_it_cannot_tell(
    answer: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    from pathlib import Path

    odd = Path(str(tmp_path)) / "scan.py"
    odd.write_text(f"print({answer!r})")
    monkeypatch.setattr(module, "SCAN", odd)
    assert reached("def attention(q): return q") is None


def test_an_entry_that_is_not_there_is_no_error() -> None:
    assert Source({}, "").calls(("attention",)) is None
