"""Code: a copy in disguise is found, two people's own work is not, and no source can do harm."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.similarity.code import code_pieces, code_words
from grader.similarity.collect import Collected, code_unit
from grader.similarity.compare import Finding, find_similar
from grader.similarity.units import Piece, Unit
from tests.similarity.copies import ROOT, TASKS, notebook, reference, renamed, styles


def known(task: str) -> dict[str, frozenset[int]]:
    """The starter's grams, as `collect` reads them."""
    path = ROOT / "tasks" / task / "starter" / f"{task}.py"
    return {task: frozenset(code_unit("", task, {path.name: path.read_bytes()}, [path.name]).grams)}


def unit(owner: str, task: str, source: str, name: str = "x.py") -> Unit:
    return code_unit(owner, task, {name: source.encode()}, [name])


def similar(task: str, *units: Unit) -> list[Finding]:
    return find_similar(Collected(units=list(units), known=known(task), submissions=len(units)))


def words(source: str) -> list[str]:
    return [word.key for word in code_words([Piece("x.py", source)])]


@pytest.mark.parametrize("task", TASKS)
def test_two_peoples_own_solutions_are_not_flagged(task: str) -> None:
    units = [code_unit(name, task, files, list(files)) for name, files in styles(task).items()]
    units.append(unit("model", task, reference(task)))
    assert len(units) > 8
    assert similar(task, *units) == []


@pytest.mark.parametrize("task", TASKS)
def test_a_renamed_and_reordered_copy_is_flagged_also_in_a_notebook(task: str) -> None:
    disguised = renamed(reference(task))
    assert disguised.count("zz_") > 50
    own = [code_unit(name, task, files, list(files)) for name, files in styles(task).items()]
    (found,) = similar(task, unit("ada", task, reference(task)), unit("bo", task, disguised), *own)
    assert {found.first, found.second} == {"ada", "bo"}
    assert found.share > 0.7
    (found,) = similar(task, unit("ada", task, reference(task)), unit("cy", task, notebook(disguised), "x.ipynb"))
    assert found.share > 0.7
    assert "zz_" in found.passages[0].second.text


def test_a_copy_of_one_part_among_other_work_is_flagged() -> None:
    ivan = (ROOT / "candidates" / "ivan_post_norm" / "transformer.py").read_text("utf-8")
    other = styles("transformer")["nn_transformer_inside"]["transformer.py"].decode()
    part = ivan[ivan.index("class MHA") : ivan.index("def build_transformer")]
    (found,) = similar(
        "transformer", unit("ivan", "transformer", ivan), unit("eve", "transformer", other + "\n\n" + part)
    )
    assert found.words >= 150
    assert found.passages[0].first.text.count("\n") > 15


def test_a_reference_is_compared_with_submissions_and_not_with_references() -> None:
    task = "gan"
    model = code_unit("reference", task, {"gan.py": reference(task).encode()}, ["gan.py"], public=True)
    (found,) = similar(task, model, unit("bo", task, renamed(reference(task))))
    assert (found.first, found.second) == ("bo", "reference")
    assert similar(task, model, model) == []


@pytest.mark.parametrize("task", TASKS)
def test_those_who_kept_the_starter_are_not_alike(task: str) -> None:
    starter = (ROOT / "tasks" / task / "starter" / f"{task}.py").read_text("utf-8")
    assert similar(task, unit("ada", task, starter), unit("bo", task, starter)) == []


def test_passages_are_whole_lines_with_their_numbers() -> None:
    source = reference("cnn_classifier")
    (found,) = similar(
        "cnn_classifier", unit("ada", "cnn_classifier", source), unit("bo", "cnn_classifier", "\n\n" + source)
    )
    side, other = found.passages[0].first, found.passages[0].second
    assert source.splitlines()[side.first_line - 1 : side.last_line] == side.text.splitlines()
    assert (other.first_line - side.first_line, other.last_line - side.last_line) == (2, 2)


def test_names_layout_comments_and_constants_make_no_difference() -> None:
    first = (
        "def f(x, *, n=3):\n    '''Doc.'''\n    y = [x * 2.5]  # why\n    self.w = y\n    return torch.sum(y, dim=0)\n"
    )
    second = "def g(\n    q, *,\n    m = 7\n):\n  z=[q*1e-3];\n  self.k = z\n  return torch.sum(z, dim=1)"
    assert words(first) == words(second)
    assert "torch" in words(first)
    assert words("import torch\nfrom torch import nn") == []


@pytest.mark.parametrize(
    "change", [("torch.sum", "torch.mean"), ("dim=0", "axis=0"), ("x * 2", "x + 2"), ("nn.Linear", "nn.Conv2d")]
)
def test_what_a_library_is_asked_for_makes_a_difference(change: tuple[str, str]) -> None:
    source = "def f(x):\n    y = nn.Linear(x * 2)\n    return torch.sum(y, dim=0)\n"
    assert words(source) != words(source.replace(*change))


@pytest.mark.parametrize(
    "source",
    [
        "(" * 50_000, "'" * 50_000, '"""' + "x" * 50_000, "\\" * 50_000, "x = " + "-" * 50_000, "\0" * 1000,
        "a.b." * 25_000, "f'{" * 30_000, "1e+" * 25_000, "x=1;" * 30_000, "def " * 50_000, "\n" * 200_000,
        "'\\" * 50_000, "for a in b: x[" * 20_000, '"""' + '"' * 2 + '\\"' * 50_000,
    ],
    ids=range(15),
)  # fmt: skip
def test_no_source_takes_long(source: str) -> None:
    started = time.process_time()
    code_words([Piece("x.py", source)])
    assert time.process_time() - started < 4


@given(st.text(max_size=200))
def test_any_text_gives_words_in_their_order(source: str) -> None:
    found = code_words([Piece("x.py", source)])
    assert all(source[word.start : word.end] for word in found)
    assert [word.start for word in found] == sorted(word.start for word in found)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b'{"cells": 3}', b'{"cells": [1, {"cell_type": "code"}]}', b"[" * 99_999]
)
def test_what_is_no_notebook_has_no_code(data: bytes) -> None:
    (piece,) = code_pieces({"a.ipynb": data}, ["a.ipynb"])
    assert code_words([piece]) == ()


def test_many_submissions_are_compared_in_seconds() -> None:
    task = "transformer"
    sources = [files for files in styles(task).values() if "transformer.py" in files]
    units = [
        unit(f"s{number}", task, f"def only_{number}(a): return a\n" + source["transformer.py"].decode())
        for number, source in zip(range(24), itertools.cycle(sources))
    ]
    started = time.process_time()
    findings = similar(task, *units)
    assert len(findings) > 20
    assert time.process_time() - started < 15


def test_paths_of_a_submission_stay_as_they_are() -> None:
    (piece,) = code_pieces({"src/net.py": b"x = 1\r\ny = 2"}, ["src/net.py"])
    assert piece == Piece("src/net.py", "x = 1\ny = 2")
    assert Path(piece.name).name == "net.py"
