"""The executed notebook as a person may open it: rebuilt from plain parts, with nothing active in it.

What comes from the sandbox is a list of cells of a fixed form; anything else is left out. Code and text outputs stay,
cleaned as every text of a report; pictures stay where Pillow reads them as PNG below a size, and are written anew.
There is no HTML, JavaScript, SVG, widget, attachment or metadata, and text cells are raw, so that no link is one.
"""

from __future__ import annotations

import base64
import io
import json
import warnings
from typing import Any, Final

import numpy as np

from grader.judge.tensors import Tensor
from grader.model import Json
from grader.text import sanitize_text

PNG: Final = b"\x89PNG\r\n\x1a\n"
MAX_CELLS: Final = 5000
MAX_TEXT: Final = 64 * 1024
MAX_OUTPUTS: Final = 64
MAX_PICTURES: Final = 64
MAX_PICTURE_BYTES: Final = 1024**2
MAX_PIXELS: Final = 4_000_000
MAX_ALL_PIXELS: Final = 40_000_000
MAX_BYTES: Final = 8 * 1024**2
STREAMS: Final = ("stdout", "stderr")
PLAIN: Final = {"format": "text/plain", "raw_mimetype": "text/plain"}
"""Metadata of raw cells: converters to HTML take one without a type for HTML of their own."""


def clean_notebook(record: Any) -> bytes:
    """A notebook of format 4.5 from what the runner recorded; b"" where that has another form."""
    if not isinstance(record, list):
        return b""
    pictures = _Pictures()
    cells = [_cell(row, number, pictures) for number, row in enumerate(record[:MAX_CELLS])]
    content = {"cells": [cell for cell in cells if cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    data = json.dumps(content, ensure_ascii=False, indent=1).encode("utf-8")
    return data if len(data) <= MAX_BYTES + pictures.written * 2 else b""


def _cell(row: Any, number: int, pictures: _Pictures) -> Json | None:
    if not isinstance(row, list) or len(row) != 3 or not isinstance(row[1], str) or not isinstance(row[2], list):
        return None
    cell: Json = {"id": f"cell-{number}", "source": sanitize_text(row[1], MAX_TEXT)}
    if row[0] != "code":
        return cell | {"cell_type": "raw", "metadata": PLAIN}
    outputs = [_output(item, pictures) for item in row[2][:MAX_OUTPUTS]]
    code: Json = {"cell_type": "code", "metadata": {}, "execution_count": None}
    return cell | code | {"outputs": [output for output in outputs if output]}


def _output(item: Any, pictures: _Pictures) -> Json | None:
    if not isinstance(item, list) or len(item) != 2:
        return None
    kind, value = item
    if kind == "png" and isinstance(value, Tensor):
        return pictures.output(value.array)
    if not isinstance(value, str):
        return None
    name = kind if kind in STREAMS else "stderr" if kind == "error" else "stdout"
    return {"output_type": "stream", "name": name, "text": sanitize_text(value, MAX_TEXT)}


class _Pictures:
    """Reads and writes pictures below a total of pixels."""

    def __init__(self) -> None:
        self._left, self._pixels_left = MAX_PICTURES, MAX_ALL_PIXELS
        self.written = 0

    def output(self, array: np.ndarray[Any, Any]) -> Json | None:
        """The display of one picture, None where it is not an acceptable PNG."""
        if array.dtype != np.uint8 or array.ndim != 1 or array.size > MAX_PICTURE_BYTES or not self._left:
            return None
        raw = array.tobytes()
        clean = self._rewritten(raw) if raw.startswith(PNG) else None
        if clean is None:
            return None
        self._left -= 1
        self.written += len(clean)
        data = {"image/png": base64.b64encode(clean).decode("ascii"), "text/plain": "picture"}
        return {"output_type": "display_data", "data": data, "metadata": {}}

    def _rewritten(self, raw: bytes) -> bytes | None:
        """The pixels alone: no text chunk, profile or trailing byte survives."""
        try:
            from PIL import Image

            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Pillow warns of what may be a decompression bomb
                with Image.open(io.BytesIO(raw), formats=["PNG"]) as picture:
                    pixels = picture.width * picture.height
                    if not 0 < pixels <= min(MAX_PIXELS, self._pixels_left):
                        return None
                    self._pixels_left -= pixels
                    plain = picture.convert("RGB")
        except Exception:  # noqa: BLE001 - a border: whatever a hostile picture does to the library, it is left out
            return None
        out = io.BytesIO()
        Image.frombytes("RGB", plain.size, plain.tobytes()).save(out, "PNG")
        return out.getvalue()
