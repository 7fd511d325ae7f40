"""`grader batch` from the command line: each end has its exit code, and each slot a part of the machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from grader.errors import ExitCode
from grader.reports.as_json import read_stored
from grader.reports.signature import problem_of
from tests.batch.rooms import TASKS
from tests.faulty import FAULTS, GOOD


def batch(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command as a user does."""
    command = [sys.executable, "-m", "grader.cli", "batch", *map(str, arguments), "--tasks-dir", str(TASKS)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def test_clashing_names_stop_it_before_anything_is_written(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder("in", {"ada/adder.py": GOOD, "ADA.zip": b""})
    done = batch(root, "-o", tmp_path / "out")
    assert done.returncode == ExitCode.USAGE
    assert done.stderr.count("\n") == 1
    assert "'ADA.zip' and 'ada/' are both submissions" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_an_engine_nothing_runs_and_the_exit_code_says_so(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    root = make_folder("in", {"ada/adder.py": GOOD})
    done = batch(root, "-o", tmp_path / "out", DOCKER_HOST=f"unix://{tmp_path}/none.sock")
    assert done.returncode == ExitCode.SANDBOX_UNAVAILABLE
    assert "no Docker engine answers" in done.stderr
    assert not list((tmp_path / "out").glob("*/report.json"))


def test_a_key_that_cannot_be_read_stops_it_before_anything_is_written(
    make_folder: Callable[..., Path], tmp_path: Path
) -> None:
    done = batch(make_folder("in", {"ada/adder.py": GOOD}), "-o", tmp_path / "out", "--sign-key", tmp_path / "none.pem")
    assert done.returncode == ExitCode.USAGE
    assert "none.pem" in done.stderr
    assert not (tmp_path / "out").exists()


def test_scores_lines_and_thresholds(make_folder: Callable[..., Path], tmp_path: Path) -> None:
    root = make_folder("in", {"ada/adder.py": GOOD, "bo/notes.txt": "x", "cy.zip": "no archive"})
    common = (root, "-o", tmp_path / "out", "--backend", "process", "-j", "1")
    done = batch(*common)
    assert done.returncode == ExitCode.GRADED, done.stderr
    assert "ada: 100 % (adder 100)" in done.stderr
    assert "cy: rejected: " in done.stderr
    assert done.stdout.startswith("3 of 3: 2 graded, 1 rejected; mean 50.0 %; ")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    again = batch(*common, "--quiet", "--fail-under", "60", "--sign-key", tmp_path / "key.pem")
    assert again.returncode == ExitCode.BELOW_THRESHOLD
    assert (again.stdout, again.stderr) == ("", "")
    for name in ("ada", "bo", "cy"):  # those too that were graded before
        report = tmp_path / "out" / name / "report.json"
        assert problem_of(report, read_stored(report), key.public_key()) == ""


@pytest.mark.docker
def test_each_slot_has_cores_and_a_user_of_its_own(
    make_folder: Callable[..., Path], tmp_path: Path, sandbox_image: str
) -> None:
    root = make_folder("in", {"ada/adder.py": GOOD, "bo/adder.py": FAULTS["raises"][0]})
    done = batch(root, "-o", tmp_path / "out", "-j", "2")
    assert done.returncode == ExitCode.GRADED, done.stderr
    seen = {}
    for name in ("ada", "bo"):
        run = json.loads((tmp_path / "out" / name / "report.json").read_text())["run"]
        assert run["isolated"]
        rows = {row["name"]: row for row in run["attestation"]["adder"]["comparisons"]}
        seen[name] = (rows["engine.CpusetCpus"]["seen"], rows["engine.User"]["seen"])
    cores = sorted(os.sched_getaffinity(0))
    assert len({user for _, user in seen.values()}) == 2
    assert all(shares for shares, _ in seen.values())
    assert len({shares for shares, _ in seen.values()}) == min(2, len(cores))
