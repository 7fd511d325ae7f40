"""`python -m tests.attacks.defences [WORD ...]`: takes each defence out of a copy of the source and runs its test.

A defence whose test stays green is not tested, and is named. Needs some minutes: rows of the worker change what is in
the sandbox's image, whose tests build one each. Such images are removed again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grader.sandbox.container import connect
from grader.sandbox.image import REPOSITORY, image_tag

ROOT: Final = Path(__file__).resolve().parents[2]
TABLE: Final = Path(__file__).with_name("data") / "defences.toml"
PATIENCE_S: Final = 240
PARTS: Final = ("grader", "tests", "tasks", "reference", "docker", "pyproject.toml")


@dataclass(frozen=True)
class Defence:
    """One row of the table."""

    name: str
    file: str
    old: str
    new: str
    test: str

    def source(self, root: Path = ROOT) -> str:
        """The file's text."""
        return (root / self.file).read_text(encoding="utf-8")


def defences() -> list[Defence]:
    """The whole table."""
    return [Defence(**row) for row in tomllib.loads(TABLE.read_text(encoding="utf-8"))["defence"]]


def images() -> set[str]:
    """The tags of all sandbox images that the engine has."""
    with closing(connect()) as client:
        return {tag for image in client.images.list(name=REPOSITORY) for tag in image.tags}


def remove(tags: set[str]) -> None:
    """Removes images that a row's test has built."""
    with closing(connect()) as client:
        for tag in tags:
            client.images.remove(tag)


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the source with an interpreter whose `grader` it is, also for the processes that it starts."""
    with tempfile.TemporaryDirectory(prefix="defences-") as folder:
        root = Path(folder)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, root / part)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(root / ".venv")], check=True)
        site = next((root / ".venv" / "lib").glob("python*")) / "site-packages"
        paths = [str(root), *(path for path in sys.path if path.endswith("site-packages"))]
        (site / "copy.pth").write_text("\n".join(paths) + "\n", encoding="utf-8")
        yield root


def image_of(root: Path) -> str:
    """The tag of the image that the copy would build."""
    code = "from grader.sandbox.image import image_tag; print(image_tag())"
    asked = [str(root / ".venv" / "bin" / "python"), "-c", code]
    return subprocess.run(asked, cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def turns_red(root: Path, defence: Defence) -> bool:
    """True where the test fails without the defence."""
    path, whole, before = root / defence.file, defence.source(root), images()
    path.write_text(whole.replace(defence.old, defence.new), encoding="utf-8")
    tag = image_of(root)
    python = str(root / ".venv" / "bin" / "python")
    try:
        words = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", defence.test]
        done = subprocess.run(
            [python, "-m", "pytest", *words], cwd=root, check=False, capture_output=True, text=True, timeout=PATIENCE_S
        )
    except subprocess.TimeoutExpired:
        return True  # without some defences a test never ends
    finally:
        path.write_text(whole, encoding="utf-8")
        remove(({tag} - {image_tag()}) & (images() - before))
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{defence.name}: {done.stdout[-2000:]}{done.stderr[-500:]}")
    return done.returncode == 1


def main(words: list[str]) -> int:
    """Runs all rows, or those whose name holds one of the words; the number of defences without a test."""
    chosen = [row for row in defences() if not words or any(word in row.name for word in words)]
    untested = 0
    with copied() as root:
        for row in chosen:
            red = turns_red(root, row)
            untested += not red
            print(f"{'red  ' if red else 'GREEN'}  {row.name}: {row.test}", flush=True)  # noqa: T201 - the program's output
    return untested


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
