"""Our own lines read in Chinese where the report does, and nobody else's words are touched."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from grader.judge import compare
from grader.judge.faults import Blocked, Mismatch
from grader.reports.our_words import LINES, in_words

ROOT = Path(__file__).resolve().parents[2] / "grader"
SOURCES = "".join(path.read_text("utf-8") for path in ROOT.rglob("*.py") if path.name != "our_words.py")
CJK = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(("line", "chinese"), LINES)
def test_each_line_is_one_that_the_code_says(line: str, chinese: str) -> None:
    fixed = max(line.replace("submission.toml", "{}").split("{}"), key=len).strip(": ")
    assert re.search(r"\s+".join(map(re.escape, fixed.split())), SOURCES), f"nobody says {fixed!r} any more"
    given = [f"v{number}" for number in range(line.count("{}"))]
    shown = in_words(line.format(*given), "zh")
    assert CJK.search(shown)
    assert all(value in shown for value in given)
    assert in_words(line.format(*given), "en") == line.format(*given)
    assert CJK.search(chinese)


def test_what_the_judge_says_is_known() -> None:
    assert in_words(str(Blocked("shape")), "zh") == "检查 shape 未通过，因此无法判定"
    for actual in (np.zeros((2, 3)), np.ones(3), np.full(3, np.nan)):
        with pytest.raises(Mismatch) as found:
            compare.close(actual, np.zeros(3), atol=0.1, what="logits")
        assert CJK.search(in_words(found.value.message, "zh")), found.value.message


def test_words_of_others_stay_as_they_are() -> None:
    text = "ValueError: no\ngan.py:7 in train: raise ValueError('no')"
    assert in_words(text, "zh") == text
    assert in_words("there is no function f in the entry file, or is there?", "zh").startswith("there is")
    assert in_words("{0} {} {x}", "zh") == "{0} {} {x}"
