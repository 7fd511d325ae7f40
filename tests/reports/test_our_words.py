"""Our own lines read in Chinese where the report does, and nobody else's words are touched."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from grader.errors import UsageError
from grader.judge import compare
from grader.judge.faults import Blocked, Mismatch
from grader.reports.error_words import HINTS, MESSAGES, error_in_words
from grader.reports.our_words import LINES, Translation, in_words
from grader.submission import load_submission

ROOT = Path(__file__).resolve().parents[2] / "grader"
OURS = ("our_words.py", "error_words.py")
SOURCES = "".join(path.read_text("utf-8") for path in ROOT.rglob("*.py") if path.name not in OURS)
CJK = re.compile("[\u4e00-\u9fff]")


@pytest.mark.parametrize(
    ("known", "line", "chinese"), [(known, *row) for known in (LINES, MESSAGES, HINTS) for row in known.lines]
)
def test_each_line_is_one_that_the_code_says(known: Translation, line: str, chinese: str) -> None:
    for fixed in re.split(r"\{\}(?: is (?=a symbolic))?|;", line.replace("submission.toml", "{}")):
        words = fixed.strip("`'(), :;").split()
        assert re.search(r"[\s\"]+".join(map(re.escape, words)), SOURCES), f"nobody says {fixed!r} any more"
    given = [f"v{number}" for number in range(line.count("{}"))]
    shown = known.of(line.format(*given))
    assert CJK.search(shown)
    assert all(value in shown for value in given)
    assert shown == chinese.format(*given), "a line before this one fits as well"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_error_is_one_line_in_the_readers_language(lang: str, tmp_path: Path) -> None:
    (tmp_path / "gan.py").symlink_to("/etc/passwd")
    for path in (tmp_path, tmp_path / "nothing", tmp_path / "gan.py"):
        with pytest.raises(UsageError) as found:
            load_submission(path, ["gan"])
        line = error_in_words(found.value, lang)
        assert line == str(found.value) if lang == "en" else re.search(f"{CJK.pattern}.*（.*{CJK.pattern}", line)


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
