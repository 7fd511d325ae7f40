"""A batch that is killed again and again, beside one that nobody disturbed.

    python -m tests.batch.kills --kills 20 --backend docker

kills the whole command with SIGKILL at random moments, starts it again each time, and compares what is there in the end
with the undisturbed run. tests/batch/test_killed.py does it with a few kills.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from grader.store import FILE
from tests.batch.rooms import TASKS
from tests.faulty import FAULTS, GOOD

VARYING = {"id", "started_at", "duration_s", "resources", "cpu_s", "attestation", "host", "digest"}
"""Fields of a report that differ between two gradings of one submission."""


@dataclass
class Killing:
    """One folder of submissions and the command that grades it."""

    root: Path
    backend: str = "process"
    slots: int = 2
    resumed_s: list[float] = field(default_factory=list)
    """From each start to the moment when something ran."""

    def fill(self, good: int) -> None:
        """Submissions that pass, fail, answer nothing and are refused."""
        sources = {f"good{number}": f"{GOOD}\n# {number}\n" for number in range(good)}
        sources["raises"] = FAULTS["raises"][0]
        for name, source in sources.items():
            (self.root / "in" / name).mkdir(parents=True)
            (self.root / "in" / name / "adder.py").write_text(source)
        (self.root / "in" / "missing").mkdir()
        (self.root / "in" / "missing" / "notes.txt").write_text("nothing")
        (self.root / "in" / "rejected").mkdir()

    def start(self, out: str) -> subprocess.Popen[str]:
        """The command in a process of its own; its scratch files lie below the root."""
        scratch = self.root / "scratch"
        scratch.mkdir(exist_ok=True)
        command = [
            sys.executable, "-m", "grader.cli", "batch", str(self.root / "in"), "-o", str(self.root / out),
            "--tasks-dir", str(TASKS), "--backend", self.backend, "-j", str(self.slots), "--seed", "5",
        ]  # fmt: skip
        environment = os.environ | {"TMPDIR": str(scratch)}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, env=environment, text=True, **pipes)  # type: ignore[call-overload,no-any-return]  # both pipes are text

    def finish(self, out: str) -> str:
        """Runs it to its end; gives what it printed."""
        process = self.start(out)
        printed, errors = process.communicate(timeout=600)
        assert process.returncode == 0, errors
        return printed + errors

    def kill(self, out: str, moment: float) -> None:
        """Starts it and kills it after `moment` seconds, without a word."""
        process = self.start(out)
        began = time.monotonic()
        before = len(self.attempts(out))
        ran = None
        while time.monotonic() < began + moment and process.poll() is None:
            if ran is None and len(self.attempts(out)) > before:
                ran = time.monotonic() - began
                self.resumed_s.append(ran)
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()

    def attempts(self, out: str) -> list[tuple[str, str]]:
        """Submission and outcome of each attempt."""
        path = self.root / out / FILE
        if not path.exists():
            return []
        try:
            with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
                return list(database.execute("SELECT job, outcome FROM attempts"))
        except sqlite3.Error:  # the tables are being made
            return []
        finally:
            database.close()

    def results(self, out: str) -> dict[str, Any]:
        """Every report without what differs from one grading to the next."""
        return {p.parent.name: lasting(json.loads(p.read_text())) for p in (self.root / out).glob("*/report.json")}

    def leftovers(self) -> list[str]:
        """What judges of killed commands have left behind so far."""
        return [path.name for path in (self.root / "scratch").iterdir()]


def lasting(value: Any) -> Any:
    """A record without what differs between two gradings."""
    if isinstance(value, dict):
        return {key: lasting(item) for key, item in value.items() if key not in VARYING or key == "id"}
    return [lasting(item) for item in value] if isinstance(value, list) else value


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two records differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        pairs = {key: (one.get(key), other.get(key)) for key in one.keys() | other.keys()}
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = {str(number): pair for number, pair in enumerate(zip(one, other, strict=True))}
    else:
        return [] if one == other else [f"{path}: {str(one)[:60]!r} {str(other)[:60]!r}"]
    return [line for key, pair in pairs.items() for line in differing(*pair, f"{path}/{key}")]


def wait_until_gone(killing: Killing, seconds: float = 60.0) -> None:
    """Waits until the judges of killed commands have removed what was theirs."""
    deadline = time.monotonic() + seconds
    while killing.leftovers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert killing.leftovers() == []


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.batch.kills")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--good", type=int, default=8)
    parser.add_argument("--backend", default="docker")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=6.0, help="seconds after a start by which it is killed")
    options = parser.parse_args()
    chance, say = random.Random(options.seed), click.echo
    with tempfile.TemporaryDirectory() as folder:
        killing = Killing(Path(folder), options.backend)
        killing.fill(options.good)
        killing.finish("calm")
        for number in range(options.kills):
            moment = chance.uniform(0.3, options.longest)
            killing.kill("killed", moment)
            outcomes = [outcome for _, outcome in killing.attempts("killed")]
            say(f"kill {number + 1} after {moment:.1f} s: {outcomes.count('graded')} graded")
        killing.finish("killed")
        wait_until_gone(killing)
        attempts = killing.attempts("killed")
        graded = [job for job, outcome in attempts if outcome == "graded"]
        calm, killed = killing.results("calm"), killing.results("killed")
        say(f"equal: {calm == killed}")
        for name in calm:
            say(f"  {name}: {'equal' if calm[name] == killed.get(name) else differing(calm[name], killed.get(name))}")
        say(f"graded twice: {len(graded) - len(set(graded))}; attempts: {len(attempts)}")
        say(f"start to running: max {max(killing.resumed_s, default=0):.1f} s of {len(killing.resumed_s)}")


if __name__ == "__main__":
    main()
