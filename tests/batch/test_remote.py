"""What a node of a cluster keeps of a task: nothing, also where its process was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.batch.remote import ship, unpacked
from grader.judge.starting import sweep
from grader.task import load_task
from tests.batch.rooms import TASKS

HOLDS = f"""
import time
from grader.batch.remote import ship, unpacked
from grader.task import load_task
from pathlib import Path
with unpacked(ship(load_task(Path({str(TASKS / "adder")!r})))) as root:
    print(root, flush=True)
    time.sleep(100)
"""


def test_a_task_lies_on_a_node_for_one_job_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with unpacked(ship(load_task(TASKS / "adder"))) as root:
        assert (root / "hidden").is_dir()
        assert root.parent.stat().st_mode & 0o077 == 0
        sweep()
        assert (root / "hidden").is_dir(), "its process lives"
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_had_is_swept_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=environment) as node:
        assert node.stdout is not None
        root = Path(node.stdout.readline().strip())
        assert root.is_dir()
        node.kill()
    assert root.is_dir()
    sweep()
    assert list(tmp_path.iterdir()) == []
