"""Fixtures that several test modules share. Nothing here needs an engine, a GPU or the network."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import hypothesis
import pytest

from tests.samples import TASK_TOML
from tests.typed import Typed, runner

# A suite that a shell started in the background would hand "ignore SIGINT" on to the commands that it interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples on every run, and no limit by the clock: a slow machine is no failure.
hypothesis.settings.register_profile("grader", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("grader")


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """`make_folder("alice", {"transformer.py": b"..."})` writes the files and gives the folder."""

    def make(name: str, files: Mapping[str, bytes | str]) -> Path:
        root = tmp_path / name
        root.mkdir(parents=True, exist_ok=True)
        for path, data in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data if isinstance(data, bytes) else data.encode())
        return root

    return make


@pytest.fixture
def make_task(make_folder: Callable[..., Path]) -> Callable[..., Path]:
    """`make_task("toy", toml)` writes the smallest valid task and gives its folder, `tasks/<name>`."""

    def make(name: str = "toy", toml: str = TASK_TOML) -> Path:
        files = {"task.toml": toml, "PROMPT.md": "# Toy\n", "public/test_toy.py": "", "hidden/test_toy_hidden.py": ""}
        return make_folder(f"tasks/{name}", files)

    return make


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Runs a command in this process, as the console script does."""
    return runner(monkeypatch, capsys)


@pytest.fixture(scope="session")
def sandbox_image() -> str:
    """The tag of this version's sandbox image, built if it is missing. A missing engine is an error, not a skip."""
    from grader.sandbox.container import connect
    from grader.sandbox.image import build_image

    with closing(connect()) as client:
        return build_image(client, progress=print).tag
