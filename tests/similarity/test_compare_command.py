"""`grader compare` as it is typed: folders, archives, references; text and JSON, clean whatever candidates wrote."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.review.samples import store
from tests.similarity.copies import REFERENCE, ROOT, reference, renamed
from tests.typed import Typed

TASK = ("--task", "gan", "--task", "written")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two who have one program, in a folder and in an archive, and one who copied the reference's answer."""
    base = tmp_path / "subs"
    hostile = 'PRINT = "\x1b[31m\u202e"\n'
    own = (REFERENCE / "gan" / "styles" / "wgan_gp" / "gan.py").read_text("utf-8")
    (base / "ada").mkdir(parents=True)
    (base / "ada" / "gan.py").write_text(hostile + own)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("bo/gan.py", renamed(own))
    (base / "bo.zip").write_bytes(data.getvalue())
    (base / "cy" / "answers").mkdir(parents=True)
    (base / "cy" / "answers" / "q01.md").write_text((REFERENCE / "written" / "q01.en.md").read_text("utf-8"))
    (base / "dee.zip").write_text("no archive")
    (base / "README.md").write_text("not one")
    return base


def test_pairs_and_passages_are_shown_side_by_side(typed: Typed, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "similar.json"
    done = typed("compare", folder, *TASK, "-o", target)
    assert done.code == 0
    assert "3 submissions, 3 programs and answers compared: 2 pairs to look at" in done.out
    assert "left out: dee: " in done.out
    assert "gan: ada and bo (code): " in done.out
    assert "q01: cy and reference (answer): 100% of the shorter one" in done.out
    assert " | " in done.out
    assert "zz_" in done.out
    shown = json.loads(target.read_text("utf-8"))
    assert {(row["first"], row["second"], row["kind"]) for row in shown["findings"]} == {
        ("ada", "bo", "code"), ("cy", "reference", "answer"),
    }  # fmt: skip
    side = shown["findings"][-1]["passages"][0]["first"]
    assert side["first_line"] <= side["last_line"]
    assert "points" not in json.dumps([list(row) for row in shown["findings"]])
    for bad in ("\x1b", "\u202e"):
        assert bad not in done.out
        assert bad not in target.read_text("utf-8")


def test_the_samples_have_one_pair_that_is_one_persons_work(typed: Typed) -> None:
    out = typed("compare", ROOT / "candidates").out
    assert "1 pair to look at" in out
    assert "transformer: ivan_post_norm and jin_off_by_one (code)" in out


def test_stored_reports_hold_no_files_to_compare(typed: Typed, tmp_path: Path) -> None:
    store(tmp_path / "out")
    typed("compare", tmp_path / "out", *TASK).refused("no submission", "stored reports do not hold their files")


def test_the_reference_itself_is_flagged(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "eve.py").write_text(renamed(reference("gan")))
    assert "gan: eve and reference (code)" in typed("compare", tmp_path, "--task", "gan").out
