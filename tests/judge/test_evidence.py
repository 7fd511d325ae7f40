"""Pictures come from any numbers whatsoever, look alike on every run, and are worth no score."""

from __future__ import annotations

import io
import json
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.judge import pictures
from grader.judge.evidence import LARGEST, MAX_IMAGES, MAX_POINTS, Evidence, numbers
from grader.judge.job import artifact_from_json, artifact_to_json
from grader.text import sanitize_line
from tests.judge.conftest import RunSuite

KINDS = ("curves", "bars", "matrix", "images", "table")


def filled() -> Evidence:
    """One picture of each kind."""
    rng = np.random.default_rng(0)
    kept = Evidence()
    kept.curves("curves", {"d": rng.random(9), "g": rng.random(9)}, title="Loss", x="epoch", y="nats")
    kept.bars("bars", list("abc"), {"real": rng.random(3), "made": rng.random(3)}, title="Modes")
    names = list("0123")
    kept.matrix("matrix", rng.integers(0, 9, (4, 4)), title="M", rows=names, columns=names, annotate=True)
    kept.images("images", {"real": rng.random((20, 8, 8)), "made": rng.random((3, 8, 8))}, title="Samples")
    kept.table("table", ["input", "decoded"], [["1 2 3", "3 2 1"], ["$x$", "4"]], title="Decoding")
    return kept


def test_every_kind_is_drawn_the_same_each_time() -> None:
    files = pictures.draw_all(filled().pictures())
    assert tuple(file.name for file in files) == KINDS
    assert files == pictures.draw_all(filled().pictures())
    for file in files:
        if file.suffix == ".png":
            height, width, _ = matplotlib.image.imread(io.BytesIO(file.content)).shape
            assert min(height, width) > 100
        else:
            assert ET.fromstring(file.content).tag.endswith("svg")
            assert b"<script" not in file.content


HOSTILE: list[Any] = [
    [], [np.nan] * 3, [1e308, -1e308, np.inf], ["a"], None, {"x": 1}, object(), [[1], [1, 2]], np.zeros((0, 8, 8)),
    np.full((3, 3), np.nan), np.zeros((2, 2, 2, 2)), [10**400], [2 + 1j], np.array(3.0), [True, False], "text",
    np.full((5, 8, 8), 1e30), [5e-324, 0.0],
]  # fmt: skip


@pytest.mark.parametrize("values", HOSTILE, ids=lambda value: type(value).__name__)
def test_no_value_breaks_a_picture(values: Any) -> None:
    kept = Evidence()
    kept.curves("a", {"x": values, "y": [1.0, 2.0]}, title="t")
    kept.curves("b", {"x": values}, title="t")
    kept.bars("c", ["1", "2", "3"], {"x": values}, title="t")
    kept.matrix("d", values, title="t", annotate=True)
    kept.images("e", {"x": values}, title="t")
    kept.table("f", ["h"], [[values]], title="t")
    drawn = {file.name for file in pictures.draw_all(kept.pictures())}
    assert drawn == {picture.name for picture in kept.pictures()} >= {"a", "f"}


@pytest.mark.parametrize("text", ["<script>x()</script>", "a\x00\x0b\ufffe\uffff\ud800b", "反转", "]]>&", "\u202ex"])
def test_text_stays_text_and_nothing_but_text(text: str) -> None:
    kept = Evidence()
    kept.table("a", [text], [[text], [""]], title="t")
    kept.bars("b", [text, "2"], {text: [1.0, 2.0]}, title="t")
    kept.matrix("c", np.eye(2), title="t", rows=[text, "2"], columns=["1", text])
    drawn = pictures.draw_all(kept.pictures())
    assert len(drawn) == 3
    for file in drawn:
        root = ET.fromstring(file.content)
        assert sanitize_line(text, 60).strip() in " ".join("".join(root.itertext()).split())
        assert not [tag for tag in (node.tag.rpartition("}")[2] for node in root.iter()) if tag == "script"]


def test_names_are_inside_of_the_picture() -> None:
    """Margins are worked out, not laid out: long names must not be cut off."""
    kept, names = Evidence(), [f"{number} {'w' * 25}" for number in range(9)]
    kept.matrix("matrix", np.eye(9), title="t", rows=names, columns=names)
    assert vars(pictures)["_inches"](["反转序列"]) == vars(pictures)["_inches"](["12345678"])
    kept.bars("bars", names, {"x": np.ones(9)}, title="A title that is so long that it takes two lines " * 2)
    draw = vars(pictures)["_FIGURES"]
    for picture in kept.pictures():
        figure = draw[picture.kind](picture)
        figure.draw_without_rendering()
        (left, below), (right, above) = figure.get_tightbbox().get_points()
        width, height = figure.get_size_inches()
        assert left >= 0
        assert below >= 0
        assert right <= width
        assert above <= height


@given(st.lists(st.floats(width=64), max_size=50))
def test_numbers_are_finite_or_absent(values: list[float]) -> None:
    array = numbers(values, 1, MAX_POINTS)
    assert len(array) == len(values)
    assert np.array_equal(np.isnan(array), ~np.isfinite(np.array(values, dtype=float)))
    assert not (np.abs(array) > LARGEST).any()


def test_large_data_are_cut_to_what_a_person_can_see() -> None:
    kept = Evidence()
    kept.curves("long", {"x": np.arange(10**6)}, title="t")
    kept.images("many", {"x": np.ones((500, 8, 8))}, title="t")
    long, many = kept.pictures()
    assert len(long.series["x"]) == MAX_POINTS
    assert long.series["x"][-1] == 10**6 - 1, "the end of a curve stays"
    assert len(many.series["x"]) == MAX_IMAGES


def test_work_that_is_done_again_replaces_its_picture() -> None:
    kept = Evidence()
    kept.curves("a", {"x": [1.0]}, title="first")
    kept.curves("a", {"x": [2.0]}, title="second")
    assert [picture.title for picture in kept.pictures()] == ["second"]


def test_a_name_that_could_be_a_path_is_the_suites_mistake() -> None:
    with pytest.raises(ValueError, match="lower-case"):
        Evidence().curves("../x", {"x": [1.0]}, title="t")


def test_a_picture_that_cannot_be_drawn_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vars(pictures)["_FIGURES"], "bars", lambda _: 1 / 0)
    assert [file.name for file in pictures.draw_all(filled().pictures())] == ["curves", "matrix", "images", "table"]


def test_a_suite_keeps_pictures_only_where_a_report_is_written(run_suite: RunSuite) -> None:
    suite = "@check('a')\ndef test_a(evidence): evidence.curves('loss', {'x': [2.0, 1.0]}, title='Loss')"
    ran = run_suite(suite, pictures=True)
    (file,) = ran.artifacts
    assert (file.name, file.suffix, file.content[:5]) == ("loss", ".svg", b"<?xml")
    assert run_suite(suite).artifacts == []


def test_a_file_crosses_the_border_of_the_judge_unchanged() -> None:
    file = pictures.draw_all(filled().pictures())[3]
    assert artifact_from_json(json.loads(json.dumps(artifact_to_json(file)))) == file
