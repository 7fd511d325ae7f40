"""The borders of intake: archives, folders, settings, and the files that hold written answers."""

from __future__ import annotations

import atexit
import functools
import io
import json
import os
import random
import shutil
import tarfile
import tempfile
import unicodedata
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.fuzzing.mutation import Border, Broken, mutated
from grader.errors import SubmissionRejected
from grader.intake.rules import Budget
from grader.model import Submission
from grader.submission import load_submission
from grader.written.intake import find_answers

TASKS: Final = ("cnn_classifier", "transformer")
FILES: Final[Mapping[str, bytes]] = {
    "work/cnn_classifier.py": b"import torch\n" * 8,
    "work/src/deep/er/net.py": b"x = 1\n",
    "work/transformer.ipynb": b'{"cells": [], "nbformat": 4, "metadata": {}}',
    "work/submission.toml": b'candidate = "Ada"\n[entry]\ntransformer = "transformer.ipynb"\n',
    "work/answers/q01.md": "## 第1题\nThe answer.\n".encode(),
}
PARTS: Final = [
    b"../", b"/etc/passwd", b"\\", b"C:", b"\0", b"\xff\xfe", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"./", b"//",
    b"ustar\x00", b"x", b"L", b"K", b"1", b"2", b"\x80" + b"\xff" * 11, b"99 path=../../x\n", b"-1", b"\xe2\x80\xae",
    b"a" * 300, b"a/" * 20, b"\x1f\x8b\x08", b"inner.zip", b"__MACOSX/", b"\x00" * 512,
]  # fmt: skip


@functools.cache
def folder() -> Path:
    """A folder of this process for the inputs, in memory where the system has such a place."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made below it
    made = Path(tempfile.mkdtemp(prefix="grader-fuzz-", dir=shared if shared.is_dir() else None))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def load(path: Path) -> Submission:
    """Intake of one submission, and what it promises of the files that it took."""
    found = load_submission(path, TASKS)
    budget = Budget()
    if sum(map(len, found.files.values())) > budget.total_bytes or len(found.files) > budget.members:
        raise Broken("over the budget")
    for name in found.files:
        parts = name.split("/")
        if _is_odd(name) or name.startswith("/") or ".." in parts or "" in parts or len(parts) > budget.depth:
            raise Broken(f"took the name {name!r}")
    for line in (*found.notes, found.candidate, found.id):
        if _is_odd(line):
            raise Broken(f"says {line!r}")
    return found


def _is_odd(text: str) -> bool:
    """True for a text with an escape, a control, a mark of direction or a broken character."""
    return any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in text)


def load_as(data: bytes, name: str) -> None:
    """Intake of the bytes as a file, its written answers included."""
    path = folder() / name
    path.write_bytes(data)
    found = load(path)
    find_answers(found.files, ())


# --- archives ---------------------------------------------------------------------------------------


@functools.cache
def zips() -> tuple[bytes, ...]:
    """Honest archives, stored and deflated."""
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", method) as archive:
            archive.mkdir("work")
            for name, data in FILES.items():
                archive.writestr(name, data)
        made.append(buffer.getvalue())
    return tuple(made)


@functools.cache
def tars() -> tuple[bytes, ...]:
    """Honest archives in the three layouts, with a name that is long enough for each one's extension."""
    made = []
    for layout in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
            for name, data in ({"work/" + "n" * 80 + "/" + "m" * 60 + ".py": b"y = 2\n"} | dict(FILES)).items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        made.append(buffer.getvalue())
    return tuple(made)


def make_zip(rng: random.Random) -> bytes:
    """A mutated zip archive; in half of the cases a whole one with mutated names, kinds and contents."""
    if rng.random() < 0.5:
        return mutated(rng.choice(zips()), rng, PARTS)
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, data in FILES.items():
            raw = mutated(name.encode(), rng, PARTS, 2) if rng.random() < 0.2 else name.encode()
            info = zipfile.ZipInfo(raw.decode("utf-8", "replace")[:1000])
            info.compress_type = method
            info.external_attr = rng.choice((0o100644,) * 20 + (0o120777, 0o040755, 0o010644, 0o060644)) << 16
            archive.writestr(info, mutated(data, rng, PARTS))
    return buffer.getvalue()


def make_tar(rng: random.Random) -> bytes:
    """A mutated tar; in half of the cases with checksums that fit again, so that the mutation gets past them."""
    raw = bytearray(mutated(rng.choice(tars()), rng, PARTS))
    if rng.random() < 0.5:
        for start in range(0, len(raw) - 511, 512):
            if raw[start + 257 : start + 262] == b"ustar":
                raw[start + 148 : start + 156] = b" " * 8
                raw[start + 148 : start + 156] = b"%06o\0 " % sum(raw[start : start + 512])
    return bytes(raw)


def make_gzipped(rng: random.Random) -> bytes:
    """A gzipped tar, mutated before or after compression."""
    if rng.random() < 0.5:
        return _gzipped(make_tar(rng))
    return mutated(_gzipped(rng.choice(tars())), rng, PARTS)


def _gzipped(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


# --- folders ----------------------------------------------------------------------------------------


def make_folder(rng: random.Random) -> bytes:
    """A list of entries, one a line in JSON: kind, name (latin-1 stands for its bytes), content or target."""
    rows = []
    for name, data in FILES.items():
        raw = name.removeprefix("work/").encode()
        raw = mutated(raw, rng, PARTS, 2) if rng.random() < 0.2 else raw
        kind = rng.choice(("file",) * 60 + ("link", "hard", "fifo", "folder"))
        rows.append([kind, raw.decode("latin-1"), mutated(data, rng, PARTS).decode("latin-1")])
    return json.dumps(rows).encode()


def read_folder_of(data: bytes) -> None:
    """Builds the folder (what the file system itself does not take is left out) and takes it in."""
    root = os.fsencode(folder() / "folder")
    shutil.rmtree(root, ignore_errors=True)
    os.mkdir(root)  # noqa: PTH102 - names are bytes here
    for kind, name, content in json.loads(data):
        parts = [part for part in name.encode("latin-1").split(b"/") if part not in (b"", b".", b"..")]
        try:
            _place(root, parts, kind, content.encode("latin-1"))
        except (OSError, ValueError):
            continue
    found = load(Path(os.fsdecode(root)))
    find_answers(found.files, ())


def _place(root: bytes, parts: list[bytes], kind: str, content: bytes) -> None:
    path = b"/".join([root, *parts])
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    if kind == "link":
        os.symlink(content[:200] or b"x", path)  # noqa: PTH211
    elif kind == "hard":
        os.link(_outside(), path)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        os.mkdir(path)  # noqa: PTH102
    else:
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(content)


@functools.cache
def _outside() -> bytes:
    path = folder() / "outside"
    path.write_bytes(b"of the host")
    return os.fsencode(path)


# --- settings and answers ---------------------------------------------------------------------------

SETTINGS: Final = (
    b'candidate = "Ada Lovelace"\n\n[entry]\ncnn_classifier = "src/main.py"\ntransformer = "work/t.py"\n',
    b'candidate = """\nAda"""\nentry = { cnn_classifier = "a.py" }\n',
)
TOML: Final = (
    b"[[", b"]]", b"[entry]", b"=", b'"""', b"'''", b"\\u0000", b"\\U0010FFFF", b"9" * 5000, b"nan", b"1979-05-27",
    b"[" * 900, b"{a=" * 300, b"a." * 500, b'"../../etc/passwd"', b"\xff", b"\x1b", b"entry = 3\n", b"candidate = []\n",
    b"inf", b"0x" + b"f" * 4000, b"99:99:99", b"9999-99-99T99:99:99Z", b"\xe2\x80\xae",
)  # fmt: skip


def make_settings(rng: random.Random) -> bytes:
    """A mutated submission.toml."""
    return mutated(rng.choice(SETTINGS), rng, TOML)


def read_settings(data: bytes) -> None:
    """Intake of a submission with these settings."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("submission.toml", data)
        archive.writestr("cnn_classifier.py", b"x = 1\n")
    load_as(buffer.getvalue(), "settings.zip")


MARKDOWN: Final = (
    "# Q1\nBecause $x$ **moves** `code`.\n\n## 问题2\n答案在这里。\n\n3.\n- a\n- b\n\n```python\n# Q9\n```\n"
    "<!-- Q4 hidden -->\n**Q5.** text\n第１题 again\n"
)
NOTEBOOK: Final = json.dumps(
    {
        "cells": [
            {"cell_type": "markdown", "source": ["# Q1\n", "text"], "metadata": {}},
            {"cell_type": "code", "source": "# Q2", "outputs": [], "metadata": {}},
            {"cell_type": "raw", "source": "第3题\n答", "metadata": {}},
        ],
        "nbformat": 4,
        "metadata": {},
    }
)
TEXT: Final = (
    b"# Q", b"## ", b"<!--", b"-->", b"<svg onload=x>", b"&#x202e;", b"\xe2\x80\xae", b"\x1b]8;;", b"```", b"\xff\xfe",
    b'"source": 3', b'"cells": {}', b"[" * 3000, b"null", b"<" * 500, b"\\ud800", b"**" * 200, b"<![CDATA[", b"&" * 99,
    b"9" * 5000, "第".encode() * 50, b"\0", b"<a href='" + b"x" * 200, b"NaN", b"<!" * 50, b"\xef\xbb\xbf",
)  # fmt: skip


def make_answers(rng: random.Random) -> bytes:
    """A mutated file of answers behind a byte that says which kind it is."""
    kind = rng.choice(b"mnq")
    text = NOTEBOOK if kind == ord("n") else MARKDOWN
    return bytes([kind]) + mutated(text.encode(), rng, TEXT, 6)


def read_answers(data: bytes) -> None:
    """Finds the answers; what it takes is text without escapes and marks that nobody sees."""
    name = {b"m": "answers.md", b"n": "answers.ipynb", b"q": "answers/q07.md"}[data[:1]]
    found = find_answers({name: data[1:]}, ("q01", "q02", "q03"))
    for answer in found.by_question.values():
        if _is_odd(answer.text.replace("\n", "").replace("\t", "")):
            raise Broken("an answer with a control character")
    if any(map(_is_odd, found.notes)):
        raise Broken("a note with a control character")


_REFUSED: Final = (SubmissionRejected,)

BORDERS: Final = (
    Border(name="zip", make=make_zip, read=lambda data: load_as(data, "x.zip"), refusals=_REFUSED, share=12),
    Border(name="tar", make=make_tar, read=lambda data: load_as(data, "x.tar"), refusals=_REFUSED, share=10),
    Border(name="tar.gz", make=make_gzipped, read=lambda data: load_as(data, "x.tgz"), refusals=_REFUSED, share=5),
    Border(name="folder", make=make_folder, read=read_folder_of, refusals=_REFUSED, share=3),
    Border(name="submission.toml", make=make_settings, read=read_settings, refusals=_REFUSED, share=7),
    Border(name="written answers", make=make_answers, read=read_answers, refusals=(), share=8),
)
