"""The same calls in one plain process: no sandbox, no fork, no frames, no judging.

    python -m benchmarks.bare record SUBMISSION SEED FILE   runs the suites here and writes down every call
    python -m benchmarks.bare replay FILE                   imports torch and executes the calls that were written down

With the same seed a grading makes the same calls. A recording is a file of our own making, read back at once: it
is the one place of the project that may pickle.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDING = 2


@dataclass(frozen=True)
class Ask:
    """One request of the judge: the session it went to and the frame's parts; `kept` where a handle came back."""

    session: int
    verb: str
    arguments: dict[str, Any]
    value: Any
    body: bytes
    seed: int
    kept: bool


@dataclass
class Recording:
    """Everything that a run asked for, in its order."""

    files: dict[str, bytes] = field(default_factory=dict)
    asks: list[Ask] = field(default_factory=list)
    not_passed: list[str] = field(default_factory=list)


def record(path: Path, seed: int, target: Path) -> None:
    """Runs the task's suites against the submission in this process, and writes the recording."""
    from benchmarks.inprocess import run_suites

    target.write_bytes(pickle.dumps(run_suites(path, seed)))


def replay(source: Path) -> float:
    """Executes the recorded calls; gives the CPU seconds that this process has used, imports included."""
    recording: Recording = pickle.loads(source.read_bytes())  # noqa: S301 - our own file, see above
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="grader-bare-") as folder:
        sessions: dict[int, Any] = {}
        for ask in recording.asks:
            _execute(ask, sessions, Path(folder), recording.files)
    return time.process_time()


def _execute(ask: Ask, sessions: dict[int, Any], folder: Path, files: Mapping[str, bytes]) -> None:
    from grader.worker import session as worker
    from grader.worker import verbs
    from grader.worker.tensors import Packer, unpack_values
    from grader.worker.wire import DEFAULT_BODY_BYTES

    if ask.session not in sessions:
        root = folder / f"s{ask.session}"
        sessions[ask.session] = worker.Session(root=root, files=files, max_body=DEFAULT_BODY_BYTES)
    mine = sessions[ask.session]
    verbs.seed_everything(ask.seed)
    values = unpack_values(ask.value, ask.body, mine.objects)
    result = getattr(mine, ask.verb)(ask.arguments, values)
    if ask.kept:  # numbers the objects as the recording did; plain results stay where they are
        Packer(mine.objects, DEFAULT_BODY_BYTES).node(result)


def main(arguments: list[str]) -> None:
    """See the module."""
    if arguments[0] == "record":
        record(Path(arguments[1]), int(arguments[RECORDING]), Path(arguments[3]))
    else:
        replay(Path(arguments[1]))


if __name__ == "__main__":
    main(sys.argv[1:])
