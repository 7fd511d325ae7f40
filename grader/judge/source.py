"""What a submission's source mentions: the one kind of finding that is made by reading and not by calling.

Whether somebody wrote a function or called the library's cannot be seen from outside. The source is parsed in a child
process that limits its own time and memory (`scan.py`), so that no source can hurt the judge. Reading can miss what
is hidden well and cannot prove what runs: such a finding is worth few points, and where it cannot tell it says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

SCAN: Final = Path(__file__).with_name("scan.py")
WALL_S: Final = 30.0
MAX_SOURCE: Final = 4 * 1024**2
MAX_ANSWER: Final = 256 * 1024
SUFFIXES: Final = (".py", ".ipynb")


class Source:
    """The fixture `source`."""

    def __init__(self, files: Mapping[str, bytes], entry: str) -> None:
        self._files, self._entry = files, entry

    def calls(self, within: Sequence[str]) -> frozenset[str] | None:
        """Dotted names of other packages that the entry's functions `within` mention, helpers included.

        Imports and aliases are resolved: `F.softmax` is "torch.nn.functional.softmax". None where it cannot tell:
        source that cannot be parsed, or code that is made at run time. Never raises.
        """
        texts = {name: raw.decode("utf-8", "replace") for name, raw in self._sources().items()}
        if self._entry not in texts or sum(map(len, texts.values())) > MAX_SOURCE:
            return None
        order = json.dumps({"files": texts, "entry": self._entry, "within": list(within)})
        answer = _run(order.encode())
        found = answer.get("names")
        if answer.get("blind") is not False or not isinstance(found, list):
            return None
        return frozenset(name for name in found if isinstance(name, str))

    def _sources(self) -> dict[str, bytes]:
        """The Python of the submission; a notebook only where it is the entry."""
        return {
            name: raw
            for name, raw in self._files.items()
            if name.endswith(".py") or (name == self._entry and name.endswith(SUFFIXES))
        }


def _run(order: bytes) -> dict[str, Any]:
    """What the child answers; {} where it died, hung, or wrote something else."""
    command = [sys.executable, "-I", "-S", str(SCAN)]
    try:
        done = subprocess.run(
            command, input=order, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=WALL_S, check=True, env={}
        )
        answer = json.loads(done.stdout) if len(done.stdout) <= MAX_ANSWER else None
    except (subprocess.SubprocessError, OSError, ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
