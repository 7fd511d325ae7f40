"""Nothing that decides a score leaves the house: not in a kit, not in the wheel, not in the source archive.

Canaries are the hidden things themselves: every file of hidden/, of reference/ and of the rubrics as a whole, every
line of theirs that says something and that no public file says too, and the held-out images.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from grader.kit.package import own_wheel
from grader.kit.writing import write_kit
from grader.task import find_tasks

ROOT = Path(__file__).resolve().parents[2]
LINE_CHARS = 44
"""Shorter lines are idioms that any two Python files share."""


def hidden_files() -> list[Path]:
    """What candidates must not have."""
    folders = [*ROOT.glob("tasks/*/hidden"), *ROOT.glob("tasks/*/exemplars"), ROOT / "reference", ROOT / "candidates"]
    inside = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return [*inside, *ROOT.glob("tasks/*/make_*.py"), *ROOT.glob("tasks/written/q*.toml")]


def public_text() -> str:
    """What they may read anyway: the public parts of the tasks, and grader itself."""
    tasks = ("PROMPT*.md", "public/*.py", "starter/*.py", "answers_template.md")
    package = ("grader/**/*.py", "grader/**/*.in", "grader/**/*.json", "README.md")
    patterns = [*(f"tasks/*/{pattern}" for pattern in tasks), *package]
    return "\n".join(path.read_text(encoding="utf-8") for pattern in patterns for path in ROOT.glob(pattern))


@pytest.fixture(scope="module")
def lines() -> set[str]:
    """Lines of hidden text files that say something of their own."""
    known, found = public_text(), set()
    for path in hidden_files():
        if path.suffix in (".npz", ".safetensors"):
            continue
        rows = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        found |= {row for row in rows if len(row) >= LINE_CHARS and row not in known}
    return found


@pytest.fixture(scope="module")
def aliases() -> set[str]:
    """What the rubrics look for, as it stands in their files: one group of wordings for each part of a point."""
    return {group for path in ROOT.glob("tasks/written/q*.toml") for group in _groups(path)}


def _groups(path: Path) -> Iterator[str]:
    for point in tomllib.loads(path.read_text(encoding="utf-8"))["points"]:
        for group in point["all_of"]:
            yield ", ".join(f'"{wording}"' for wording in group)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the source archive, as a release would have them; built without a network."""
    folder = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--wheel",
        "--sdist",
        "--outdir",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a kit of everything, those in its wheel included."""
    root = write_kit(find_tasks(ROOT / "tasks"), tmp_path_factory.mktemp("kit") / "all").root
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    wheel = next(name for name in files if name.endswith(".whl"))
    return files | {f"{wheel}/{name}": content for name, content in zipped(files[wheel]).items()}


def zipped(content: bytes) -> dict[str, bytes]:
    """The members of a zip archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tarred(path: Path) -> dict[str, bytes]:
    """The members of a tar archive."""
    with tarfile.open(path) as archive:
        members = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
        return {name: file.read() for name, file in members.items() if file}


def assert_clean(files: Mapping[str, bytes], lines: set[str], aliases: set[str]) -> None:
    """No file, line, wording or held-out image of what is hidden."""
    secret = {hashlib.sha256(path.read_bytes()).digest(): path for path in hidden_files() if path.stat().st_size > 1}
    for name, content in files.items():
        assert hashlib.sha256(content).digest() not in secret, name
        parts = set() if "grader/template/" in name else set(name.split("/"))  # the example of `tasks new`
        assert not parts & {"hidden", "reference", "mutants", "styles", "exemplars", "candidates", "bugs.toml"}, name
        if name.endswith((".npz", ".whl")):
            continue
        text = content.decode("utf-8")
        shared = lines.intersection(line.strip() for line in text.splitlines())
        assert not shared, f"{name}: {sorted(shared)[:3]}"
        assert not [group for group in aliases if group in text], name


def test_there_are_canaries_of_every_kind(lines: set[str], aliases: set[str]) -> None:
    by_kind = [path.as_posix() for path in hidden_files()]
    for part in ("/hidden/bugs.toml", "/hidden/digits.npz", "/hidden/features.safetensors", "/hidden/conftest.py",
                 "/mutants/", "/styles/", "reference/written", "tasks/written/q30.toml", "expected.toml"):  # fmt: skip
        assert any(part in path for path in by_kind), part
    assert len(lines) > 5000
    assert len(aliases) > 300


def test_a_leak_would_be_seen(lines: set[str], aliases: set[str]) -> None:
    rubric = (ROOT / "tasks" / "written" / "q07.toml").read_bytes()
    test = (ROOT / "tasks" / "gan" / "hidden" / "test_steps.py").read_bytes()
    for leak in ({"a.toml": rubric}, {"a.toml": rubric + b"\n"}, {"a.py": test[:3000]}, {"hidden/a.py": b""}):
        with pytest.raises(AssertionError):
            assert_clean(leak, lines, aliases)


def test_a_kit_holds_nothing_hidden(kit: dict[str, bytes], lines: set[str], aliases: set[str]) -> None:
    assert_clean(kit, lines, aliases)


@pytest.mark.parametrize("task", ["cnn_classifier", "gan"])
def test_the_public_data_of_a_task_have_none_of_its_held_out_images(kit: dict[str, bytes], task: str) -> None:
    """The data set itself is well known: hidden are the split and what is drawn at grading time."""
    held_out = np.load(ROOT / "tasks" / task / "hidden" / "digits.npz")["test_images"]
    secret = {image.tobytes() for image in held_out}
    assert len(secret) > 300
    images = np.load(io.BytesIO(kit[f"tasks/{task}/public/digits_public.npz"]))["images"]
    assert not secret.intersection(image.tobytes() for image in images)


@pytest.mark.slow
def test_wheel_and_source_archive_hold_nothing_hidden(built: Path, lines: set[str], aliases: set[str]) -> None:
    wheel = zipped(next(built.glob("*.whl")).read_bytes())
    assert_clean(wheel, lines, aliases)
    assert {name.partition("/")[0].partition("-")[0] for name in wheel} == {"grader", "ml_interview_grader"}
    source = tarred(next(built.glob("*.tar.gz")))
    assert_clean(source, lines, aliases)
    assert {name.split("/")[1] for name in source} == {
        "grader",
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "PKG-INFO",
        "pyproject.toml",
        ".gitignore",
    }


@pytest.mark.slow
def test_the_wheel_in_a_kit_is_the_one_that_a_release_has(built: Path) -> None:
    ours, released = zipped(own_wheel()[1]), zipped(next(built.glob("*.whl")).read_bytes())
    assert set(ours) == set(released)
    described = {name for name in ours if ".dist-info/" in name}  # METADATA is of the installation, RECORD follows it
    assert all(ours[name] == released[name] for name in set(ours) - described)
