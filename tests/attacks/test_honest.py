"""No false alarms: what honest people write works in the whole sandbox, and is not slowed down."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.model import Outcome
from tests.attacks.arena import DATA, HELPERS, checks, containers, run
from tests.notebooks import notebook
from tests.sandbox.rig import Rig

HONEST = DATA / "honest"
NAMES = sorted(path.stem for path in HONEST.glob("*.py"))
CPU_S = 30.0


def files() -> dict[str, bytes]:
    """One submission with all of them."""
    return {path.relative_to(HONEST).as_posix(): path.read_bytes() for path in HONEST.rglob("*.py")}


@pytest.fixture(scope="module")
def rig(sandbox_image: str) -> Iterator[Rig]:
    with Rig("docker", f"test-honest-{os.getpid()}", files()) as found:
        found.ready()
        yield found
        assert found.ends == [], "nobody's process was ended"


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_an_honest_submission_is_left_alone(rig: Rig, name: str) -> None:
    with rig.opened(f"{name}.py") as candidate:
        candidate.within(cpu_s=CPU_S).perform("main")


NOTEBOOK = notebook(
    "import numpy as np, torch\nfrom tqdm.auto import tqdm\n%matplotlib inline\nimport matplotlib.pyplot as plt",
    "for _ in tqdm(range(50)): print('x' * 100)\nplt.plot([1, 2]); plt.show()",
    "from key import code, rows, build",
    "assert code(0) == 49_722_033",
)
MODULE = b"""
import sys, tempfile, threading, warnings
import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset
from key import build, code as right, rows as right_rows

warnings.warn("loaded")


def code(x):
    print("computing " * 1000, file=sys.stderr)
    thread = threading.Thread(target=print, args=("in a thread",))
    thread.start()
    thread.join()
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(str(x))
    return np.int64(right(x))


def rows(x):
    batches = DataLoader(TensorDataset(torch.as_tensor(x)), batch_size=1, num_workers=2)
    return torch.cat([right_rows(batch) for batch, in batches])
"""


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize(("name", "content"), [("vault.ipynb", NOTEBOOK), ("vault.py", MODULE)])
def test_an_honest_answer_gets_full_marks(name: str, content: bytes, tmp_path: Path, sandbox_image: str) -> None:
    (tmp_path / "honest").mkdir()
    (tmp_path / "honest" / name).write_bytes(content)
    (tmp_path / "honest" / "key.py").write_bytes((HELPERS / "key.py").read_bytes())
    graded = run(tmp_path / "honest", 39)
    assert {str(check.outcome) for check in checks(graded)} == {str(Outcome.PASSED)}, json.dumps(
        [check.message for check in checks(graded)]
    )
    assert graded.report.score.percent == 100.0
    assert containers(graded.report.run.id) == []


def test_there_are_thirty_of_them() -> None:
    assert len(NAMES) >= 30
