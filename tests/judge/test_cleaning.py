"""Whatever a sandbox calls an executed notebook: what is kept is a notebook with nothing active in it."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import nbformat
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from grader.judge import cleaning
from grader.judge.cleaning import PNG, clean_notebook
from grader.judge.tensors import Tensor

HOSTILE = ("\x1b]52;c;aGk=\x07", "\x1b[31m", "\u202e", "\0", "\ud800", "<script>", "]]>", "\r", "\x9b")
ESCAPES = ("\x1b", "\u202e", "\0", "\x9b")

texts = st.one_of(st.text(max_size=40), st.sampled_from(HOSTILE), st.text().map(lambda text: text + HOSTILE[0]))
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
anything = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4), max_leaves=12)


def png(width: int = 3, height: int = 2, **facts: Any) -> bytes:
    """A picture."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG", **facts)
    return out.getvalue()


def tensor(raw: bytes, dtype: Any = np.uint8) -> Tensor:
    """Bytes as the runner sends them."""
    return Tensor(str(np.dtype(dtype)), np.frombuffer(raw, dtype=np.uint8).astype(dtype))


pictures = st.one_of(
    st.binary(max_size=60).map(lambda raw: tensor(PNG + raw)),
    st.binary(max_size=60).map(tensor),
    st.integers(0, 60).map(lambda cut: tensor(png()[:cut])),
    st.tuples(st.integers(8, 60), st.integers(0, 255)).map(lambda at: tensor(changed(png(), *at))),
    st.sampled_from([np.float32, np.int64]).map(lambda dtype: tensor(png(), dtype)),
    st.just(tensor(png())),
)
kinds = st.sampled_from(["stdout", "stderr", "error", "text", "png", "html", "application/javascript"])
outputs = st.one_of(anything, st.tuples(kinds, st.one_of(texts, pictures, anything)).map(list))
sources = st.one_of(texts, anything)
rows = st.one_of(
    anything, st.tuples(st.sampled_from(["code", "markdown", "raw", "x"]), sources, st.lists(outputs)).map(list)
)


def changed(raw: bytes, place: int, value: int) -> bytes:
    """`raw` with one other byte."""
    return raw[: place % len(raw)] + bytes([value]) + raw[place % len(raw) + 1 :]


def outputs_of(data: bytes) -> list[dict[str, Any]]:
    """Every output of a notebook."""
    return [output for cell in json.loads(data)["cells"] for output in cell.get("outputs", [])]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(anything, st.lists(rows, max_size=8)))
def test_any_record_becomes_a_valid_notebook_of_plain_parts(record: Any) -> None:
    data = clean_notebook(record)
    assert (data == b"") == (not isinstance(record, list))
    if not data:
        return
    nbformat.validate(json.loads(data))
    text = data.decode("utf-8")
    assert not any(escape in text or json.dumps(escape)[1:-1] in text for escape in ESCAPES)
    for cell in json.loads(text)["cells"]:
        assert cell["cell_type"] in ("code", "raw")
        assert cell["metadata"] == (cleaning.PLAIN if cell["cell_type"] == "raw" else {})
    for output in outputs_of(data):
        assert output["output_type"] in ("stream", "display_data")
        assert set(output.get("data", {})) <= {"image/png", "text/plain"}
        for picture in [output["data"]["image/png"]] if "data" in output else []:
            with Image.open(io.BytesIO(base64.b64decode(picture)), formats=["PNG"]) as found:
                found.load()


def test_nothing_but_pixels_of_a_picture_is_kept() -> None:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", "<script>alert(1)</script>")
    raw = png(pnginfo=info) + b"trailing <script>"
    (output,) = outputs_of(clean_notebook([["code", "x", [["png", tensor(raw)]]]]))
    kept = base64.b64decode(output["data"]["image/png"])
    assert b"script" not in kept
    assert Image.open(io.BytesIO(kept)).tobytes() == Image.open(io.BytesIO(raw)).tobytes()


def test_pictures_end_at_a_number_and_at_a_total_of_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [["code", "x", [["png", tensor(png())]] * 40] for _ in range(3)]
    assert len(outputs_of(clean_notebook(many))) == cleaning.MAX_PICTURES
    monkeypatch.setattr(cleaning, "MAX_ALL_PIXELS", 13)
    assert len(outputs_of(clean_notebook(many))) == 2
    monkeypatch.setattr(cleaning, "MAX_PIXELS", 5)
    assert outputs_of(clean_notebook(many)) == []


def test_text_and_cells_beyond_their_caps_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    long = "x" * (cleaning.MAX_TEXT + 1000)
    (output,) = outputs_of(clean_notebook([["code", long, [["stdout", long]]]]))
    assert len(output["text"]) < cleaning.MAX_TEXT + 200
    cells = json.loads(clean_notebook([["raw", "x", []]] * (cleaning.MAX_CELLS + 5)))["cells"]
    assert len(cells) == cleaning.MAX_CELLS
    assert len(outputs_of(clean_notebook([["code", "x", [["stdout", "y"]] * 500]]))) == cleaning.MAX_OUTPUTS
    monkeypatch.setattr(cleaning, "MAX_BYTES", 3000)
    assert clean_notebook([["code", "x" * 100, []]] * 10)
    assert clean_notebook([["code", "x" * 100, []]] * 20) == b""
