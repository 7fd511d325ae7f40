"""What a candidate may read: the copy of a report in every format, what `grader ci` publishes and logs, the self-check.
None of it tells anything hidden, though the submission put all that it was given into prints, errors and answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from grader.errors import ExitCode
from grader.model import Json
from grader.reports import WRITERS
from tests.canaries.planted import (
    BROKEN,
    CHECKS,
    EXPECTED,
    HOSTILE,
    INPUTS,
    MESSAGE,
    NAME,
    QUESTION,
    SECRETS,
    SEED,
    SOURCE,
    TEXT,
    drawn_numbers,
    found_in,
    write_task,
)
from tests.ci.repos import repository
from tests.typed import Typed

HIDDEN_THINGS: Mapping[str, str | np.ndarray] = {**SECRETS, **INPUTS}


def times_in(record: Json) -> dict[str, str]:
    """Exact durations, CPU times and sizes: those with so many digits that they stand nowhere by chance."""
    task = record["tasks"][0]
    values = [record["run"]["duration_s"], *task["resources"].values()]
    values += [check[name] for check in task["checks"] for name in ("duration_s", "cpu_s")]
    return {f"figure {value}": str(value) for value in values if len(str(value)) >= 6}


def candidates_texts(typed: Typed, out: Path, into: Path) -> Iterator[tuple[str, bytes]]:
    """Every form of a stored result for its candidate, in both languages, and what the commands say."""
    for lang in ("en", "zh"):
        for form in WRITERS:
            done = typed("report", out, "--audience", "candidate", "-f", form, "--lang", lang)
            assert done.code == 0, done
            yield f"{form} in {lang}", (done.out + done.err).encode()
        for form in ("html", "gradescope"):
            folder = into / f"{form}-{lang}"
            folder.mkdir(parents=True)
            done = typed("report", out, "--audience", "candidate", "-f", form, "--lang", lang, "-o", folder)
            assert done.code == 0, done
            yield f"{form} in {lang}: messages", (done.out + done.err).encode()
            yield from ((str(path), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


def hostile(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "vault.py").write_text(HOSTILE)
    return folder


def test_no_format_for_candidates_tells_anything_hidden(typed: Typed, tmp_path: Path) -> None:
    tasks, out = write_task(tmp_path / "tasks"), tmp_path / "out" / "eve"
    options = ("--tasks-dir", tasks, "--backend", "process", "--seed", str(SEED))
    done = typed("grade", hostile(tmp_path / "eve"), *options, "-o", out / "report.json")
    assert done.code == ExitCode.GRADED, done
    assert not found_in(done.err.encode(), HIDDEN_THINGS), "a log"
    raw = (out / "report.json").read_bytes()
    told = set(found_in(raw, HIDDEN_THINGS))
    assert told >= set(HIDDEN_THINGS) - {"source", "expected values", "seed in hex"}, "interviewers see what happened"
    figures = {number: number for number in drawn_numbers(raw.decode())} | times_in(json.loads(raw))
    assert len(figures) > 2 * len(CHECKS)
    for name, data in candidates_texts(typed, out, tmp_path / "for"):
        assert not found_in(data, {**HIDDEN_THINGS, **figures}), name


def published(folder: Path) -> Iterator[tuple[str, bytes]]:
    yield from ((str(path), path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


def ci(typed: Typed, tmp_path: Path, tasks: Path) -> tuple[int, dict[str, bytes], Json]:
    """Exit code, all that people without rights see of a change with the hostile submission, and the whole record."""
    change: dict[str, str | None] = {"submissions/eve/vault.py": HOSTILE}
    root = repository(tmp_path / "repo", {"README.md": "r\n"}, change)
    options = ("--base", "main", "--repo", root, "--tasks-dir", tasks, "--backend", "process", "--seed", str(SEED))
    done = typed("ci", *options, "-o", tmp_path / "public", "--records", tmp_path / "private", "-j", "1")
    assert (tmp_path / "private" / "eve").is_dir(), done
    seen = dict(published(tmp_path / "public")) | {"stdout": done.out.encode(), "stderr": done.err.encode()}
    return done.code, seen, json.loads((tmp_path / "private" / "eve" / "report.json").read_text("utf-8"))


def test_nothing_that_ci_publishes_or_logs_tells_anything_hidden(typed: Typed, tmp_path: Path) -> None:
    code, seen, record = ci(typed, tmp_path, write_task(tmp_path / "tasks"))
    assert code == ExitCode.GRADED
    assert len(seen) >= 8
    figures = {number: number for number in drawn_numbers(json.dumps(record))} | times_in(record)
    assert len(figures) > len(CHECKS)
    for name, data in seen.items():
        assert not found_in(data, {**HIDDEN_THINGS, **figures}), name


def test_a_suite_that_breaks_does_not_show_itself_in_the_log_of_ci(typed: Typed, tmp_path: Path) -> None:
    code, seen, record = ci(typed, tmp_path, write_task(tmp_path / "tasks", BROKEN))
    assert code == ExitCode.UNGRADED
    assert MESSAGE in json.dumps(record)
    for name, data in seen.items():
        assert not found_in(data, HIDDEN_THINGS), name
    assert b"ungraded" in seen["stderr"] + seen["stdout"]


def test_a_suite_that_cannot_be_read_does_not_show_itself_in_the_log_of_ci(typed: Typed, tmp_path: Path) -> None:
    broken = f'import numpy\nraise KeyError("{MESSAGE} {SOURCE} {EXPECTED[0]}")\n'
    _, seen, _ = ci(typed, tmp_path, write_task(tmp_path / "tasks", broken))
    for name, data in seen.items():
        assert not found_in(data, HIDDEN_THINGS), name


def test_the_self_check_shows_nothing_hidden_where_the_hidden_part_lies_beside_it(typed: Typed, tmp_path: Path) -> None:
    tasks = write_task(tmp_path / "tasks")
    done = typed("check", hostile(tmp_path / "eve"), "--tasks-dir", tasks)
    assert done.code == ExitCode.GRADED, done
    assert "shown" in done.out.lower()
    shown = (done.out + done.err).encode()
    assert not found_in(shown, HIDDEN_THINGS)
    for word in (NAME, QUESTION, TEXT):
        assert word.encode() not in shown


# --- written answers --------------------------------------------------------------------------------

PARTS = ("alias", "model", "why", "misconception", "source", "correction", "unmet")
RUBRIC = """
format = 1
id = "q01"
version = "1.0"
[question]
en = "What is attention?"
zh = "什么是注意力？"
[[corrections]]
source = "kestrelsource9b"
right = "kestrelcorrection9b"
[[points]]
id = "weights"
weight = 1
title = { en = "Weights", zh = "权重" }
model = { en = "Attention kestrelmodel9b.", zh = "注意力 kestrelmodel9b。" }
why = { en = "kestrelwhy9b", zh = "kestrelwhy9b" }
all_of = [["attention", "kestrelalias9b"], ["weighted", "kestrelunmet9b"]]
[[points.contradictions]]
says = { en = "kestrelmisconception9b", zh = "kestrelmisconception9b" }
all_of = [["kestrelmisconception9b", "attention"], ["useless"]]
[[points]]
id = "scale"
weight = 1
title = { en = "scale", zh = "scale" }
model = { en = "The scale kestrelunmet9b.", zh = "scale kestrelunmet9b。" }
why = { en = "kestrelwhy9b", zh = "kestrelwhy9b" }
all_of = [["kestrelunmet9b"], ["kestrelalias9b"]]
[[points]]
id = "heads"
weight = 1
title = { en = "heads", zh = "heads" }
model = { en = "The heads kestrelunmet9b.", zh = "heads kestrelunmet9b。" }
why = { en = "kestrelwhy9b", zh = "kestrelwhy9b" }
all_of = [["kestrelunmet9b"], ["kestrelalias9b"]]
[[points]]
id = "mask"
weight = 1
title = { en = "mask", zh = "mask" }
model = { en = "The mask kestrelunmet9b.", zh = "mask kestrelunmet9b。" }
why = { en = "kestrelwhy9b", zh = "kestrelwhy9b" }
all_of = [["kestrelunmet9b"], ["kestrelalias9b"]]
[[points]]
id = "cost"
weight = 1
title = { en = "cost", zh = "cost" }
model = { en = "The cost kestrelunmet9b.", zh = "cost kestrelunmet9b。" }
why = { en = "kestrelwhy9b", zh = "kestrelwhy9b" }
all_of = [["kestrelunmet9b"], ["kestrelalias9b"]]
"""
TOML = """
id = "written"
version = "1.0"
kind = "written"
points_per_question = 10
[title]
en = "Written"
"""


@pytest.mark.parametrize("answer", ["Attention is a weighted sum of values.", "Attention is useless.", "No idea."])
def test_no_rubric_shows_in_any_format_for_candidates(typed: Typed, tmp_path: Path, answer: str) -> None:
    root, out = tmp_path / "tasks" / "written", tmp_path / "out" / "ada"
    root.mkdir(parents=True)
    for name, text in {"task.toml": TOML, "PROMPT.md": "# W\n", "q01.toml": RUBRIC}.items():
        (root / name).write_text(text, encoding="utf-8")
    (tmp_path / "ada" / "answers").mkdir(parents=True)
    (tmp_path / "ada" / "answers" / "q01.md").write_text(answer)
    options = ("--tasks-dir", root.parent, "--backend", "process", "--seed", str(SEED))
    done = typed("grade", tmp_path / "ada", *options, "-o", out / "report.json")
    assert done.code == ExitCode.GRADED, done
    canaries = {part: f"kestrel{part}9b" for part in PARTS} | {"seed": str(SEED)}
    assert not found_in(done.err.encode(), canaries)
    record = (out / "report.json").read_text("utf-8")
    found = re.findall(r"kestrel\w+?9b", record)
    for name, data in candidates_texts(typed, out, tmp_path / "for"):
        assert not found_in(data, canaries), (name, found)
