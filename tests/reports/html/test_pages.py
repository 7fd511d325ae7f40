"""Pages hold what a record holds, in both languages, and nothing that a text in it can make act."""

from __future__ import annotations

import json
import os
import re
import tracemalloc
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from grader.errors import UsageError
from grader.model import Json
from grader.reports.audience import for_candidate
from grader.reports.html.backing import attested
from grader.reports.html.candidate import candidate_page
from grader.reports.html.index import index_page
from grader.reports.html.site import write_page, write_site
from grader.reports.html.words import _PAIRS, words
from tests.reports.html.samples import HUMAN, PNG, batch, full, held, mapped, with_answer

CODES = frozenset(
    "audience status visibility outcome verdict media_type path language sha256 backend started_at at".split()
)
"""Fields whose values the schema fixes; `path` has tests of its own."""
NAMES = frozenset(["id", "task", "criterion"])
"""Rows are found by these, so that a change hides some of them."""
PAYLOADS = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</style></title></textarea><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}<b>",
    "javascript:alert(1)//--></script>",
    "\u202egnp.exe\u202c\u2066\x1b]52;c;AAAA\x07\x1b[2J\x00\ud800",
    "&lt;b&gt;&amp;",
)


class Shape(HTMLParser):
    """Tags and attribute names of a page, its scripts, its addresses and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append((tag, tuple(values)))
        self.links += [str(values[name]) for name in ("href", "src") if name in values]
        self.ids += [str(values["id"])] if "id" in values else []

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def _page(record: Json, lang: str = "en") -> str:
    return candidate_page(record, Path("/nowhere"), lang=lang, home="../index.html")


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
def test_no_text_of_a_record_becomes_markup(payload: str, audience: str) -> None:
    for keep in (CODES, CODES | NAMES):
        plain, hostile = (_filled(new, keep) for new in ("x", payload))
        if audience == "candidate":
            plain, hostile = for_candidate(plain), for_candidate(hostile)
        assert Shape(_page(hostile)).tags == Shape(_page(plain)).tags
        assert Shape(index_page([hostile] * 3, lang="en")).tags == Shape(index_page([plain] * 3, lang="en")).tags


def _filled(text: str, keep: frozenset[str]) -> Json:
    """A record where each text that is not empty is this one."""
    record: Json = mapped(with_answer(full()), lambda old: old and text, keep)
    return record


@pytest.mark.parametrize("render", [_page, lambda record: index_page([record, record], lang="en")])
def test_controls_and_marks_that_turn_text_round_are_gone(render: Any) -> None:
    page = render(mapped(full(), lambda _: PAYLOADS[5], CODES | NAMES))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert "gnp.exe" in page


def test_ids_and_addresses_are_ours_alone() -> None:
    shape = Shape(_page(mapped(full(), lambda text: f"{text}<>&\"' x", CODES)))
    assert len(shape.ids) == len(set(shape.ids))
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in shape.ids)
    assert all(re.fullmatch(r"#[a-z0-9-]+|\.\./index\.html|data:,", link) for link in shape.links)
    assert {link[1:] for link in shape.links if link.startswith("#")} <= set(shape.ids)


def test_a_page_forbids_everything_but_its_own_style_and_script() -> None:
    page = _page(full())
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src &#39;none&#39;; style-src &#39;sha256-")
    assert policy.endswith("img-src data:; base-uri &#39;none&#39;; form-action &#39;none&#39;")
    assert "unsafe" not in policy
    assert "http" not in policy
    assert not re.search(r'\s(style|on\w+)="', page), "the policy would block it"
    assert not re.search(r"https?://", page)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_an_interviewer_needs_is_there(lang: str) -> None:
    text = " ".join(Shape(_page(full(), lang)).words)
    chinese = lang == "zh"
    for expected in (
        "掩码约定反了" if chinese else "the mask convention is inverted",
        "掩码里的 True 表示什么？" if chinese else "What does True mean in your mask?",
        "shape的提示" if chinese else "hint of shape",
        "抛出异常" if chinese else "raised an exception",
        "部分满足" if chinese else "partly",
        "accuracy 0.41 below 0.9", "hidden row 3", "clip the norm", "half of it", "said it aloud", "Bo Li", "toy.py:3",
        "epoch 1", "cell 3 raised", "artifacts/toy.ipynb", "the report has no such place", "987654321", "ab" * 32,
        "network", "unknown_flag", "an answer is too long",
    ):  # fmt: skip
        assert expected in text


def test_passages_are_marked_within_the_answer_where_the_report_holds_it() -> None:
    page = _page(with_answer(full()))
    assert "First I <mark>clip the norm</mark><sup>1, 2</sup>, then I lower the rate." in page
    moved = with_answer(full())
    moved["tasks"][1]["questions"][0]["points"][0]["evidence"][0]["start"] = 7
    assert "<sup>2</sup>" in _page(moved)


def test_a_candidates_page_has_nothing_but_the_copy() -> None:
    page = _page(for_candidate(full()))
    secrets = ("row 3", "987654321", "Bo Li", "said it aloud", "accuracy 0.41", "stuffed", "half of it", "<mark")
    assert [secret for secret in secrets if secret in page] == []
    assert "Your results" in page


def test_every_word_is_in_both_languages_and_takes_the_same_values() -> None:
    for name, (english, chinese) in _PAIRS.items():
        assert english, name
        assert chinese, name
        assert len(re.findall(r"{\d?}", english)) == len(re.findall(r"{\d?}", chinese)), name


def test_a_missing_word_is_an_error() -> None:
    with pytest.raises(AttributeError):
        _ = words("en").no_such_word


@pytest.mark.parametrize("status", ["graded", "rejected", "ungraded"])
def test_pages_of_any_status_and_of_nothing(status: str, tmp_path: Path) -> None:
    bare = full() | {"status": status, "tasks": [], "review": {"in_effect": 0, "set_aside": []}}
    bare["score"] = bare["reviewed_score"] = {"earned": 0.0, "possible": 0.0, "percent": 0.0}
    pages = write_site(tmp_path, [held(tmp_path / "alice", bare)], lang="en", audience="interviewer")
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert status in text or status == "graded"
        assert ("our fault" in text) == (status == "ungraded" and path != pages[0])


def test_a_site_is_an_index_and_a_page_for_each_that_link_to_each_other(tmp_path: Path) -> None:
    pages = write_site(tmp_path / "site", batch(tmp_path / "out", 3), lang="en", audience="interviewer")
    assert [str(path.relative_to(tmp_path / "site")) for path in pages] == [
        "index.html", "c000/index.html", "c001/index.html", "c002/index.html",
    ]  # fmt: skip
    links = [link for link in Shape(pages[0].read_text(encoding="utf-8")).links if link.startswith("c")]
    assert {tmp_path / "site" / link for link in links} == set(pages[1:])
    assert "../index.html" in Shape(pages[1].read_text(encoding="utf-8")).links


@pytest.mark.parametrize("audience", ["interviewer", "candidate"])
def test_each_record_is_asked_for_once(audience: str, tmp_path: Path) -> None:
    results = batch(tmp_path / "out", 3)
    asked: list[int] = []

    class FromDisk(Sequence[Any]):
        def __len__(self) -> int:
            return len(results)

        def __getitem__(self, index: Any) -> Any:
            if index < len(results):
                asked.append(index)
            return results[index]

    write_site(tmp_path / "site", FromDisk(), lang="en", audience=audience)
    assert asked == [0, 1, 2]


def test_each_sandbox_of_a_task_has_its_comparisons() -> None:
    record = full()
    first = record["run"]["attestation"]["toy"]
    beside = [{"green": False, "comparisons": first["comparisons"][:1]}, "of another shape"]
    record["run"]["attestation"]["toy"] = first | {"beside": beside}
    rows = attested(record)
    assert [(row.task, row.green, len(row.comparisons)) for row in rows] == [
        ("toy", True, len(first["comparisons"])), ("toy (2)", False, 1)
    ]  # fmt: skip
    assert "toy (2)" in candidate_page(record, Path(), lang="en", home="")


def test_candidates_pages_know_nothing_of_one_another(tmp_path: Path) -> None:
    pages = write_site(tmp_path / "site", batch(tmp_path / "out", 3), lang="en", audience="candidate")
    assert not (tmp_path / "site" / "index.html").exists()
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert "../index.html" not in text
        assert "Person" in text
        assert len(set(re.findall(r"Person \d+", text))) == 1


@pytest.mark.parametrize("name", [".", "..", "index.html"])
def test_an_id_that_would_leave_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    record = full()
    record["submission"]["id"] = name
    with pytest.raises(UsageError, match="no folder"):
        write_site(tmp_path / "site", [held(tmp_path / "a", record)], lang="en", audience="interviewer")
    assert not (tmp_path / "site").exists()


def _pictures(folder: Path, **artifact: str) -> list[str]:
    record = full()
    record["tasks"][0]["artifacts"] = [{"name": "p", "media_type": "image/png", "path": "artifacts/p.png"} | artifact]
    page = write_page(folder / "page.html", held(folder, record), lang="en", audience="interviewer")
    return [link for link in Shape(page.read_text(encoding="utf-8")).links if link.startswith("data:image")]


def test_pictures_are_held_by_the_page_itself(tmp_path: Path) -> None:
    page = write_page(tmp_path / "p.html", held(tmp_path, full()), lang="en", audience="interviewer")
    found = [link[:26] for link in Shape(page.read_text(encoding="utf-8")).links if link.startswith("data:image")]
    assert found == ["data:image/svg+xml;base64,", "data:image/png;base64,iVBO"]


def test_only_pictures_below_the_report_get_in(tmp_path: Path) -> None:
    folder = tmp_path / "alice"
    (folder / "artifacts").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    (folder / "artifacts" / "link.png").symlink_to(tmp_path / "secret.png")
    os.mkfifo(folder / "artifacts" / "pipe.png")
    (folder / "artifacts" / "page.png").write_bytes(b"<html>")
    (folder / "artifacts" / "huge.png").write_bytes(PNG + bytes(2 * 1024**2))
    (folder / "artifacts" / "p.png").write_bytes(PNG)
    for path in ("a/../../secret.png", "artifacts/link.png", "artifacts/pipe.png", "artifacts/page.png",
                 "artifacts/huge.png", "artifacts/none.png", "artifacts"):  # fmt: skip
        assert _pictures(folder, path=path) == []
    assert _pictures(folder, media_type="text/html") == []
    assert len(_pictures(folder)) == 1


def test_a_large_batch_becomes_strips_and_stays_small(tmp_path: Path) -> None:
    page = index_page([result.view for result in batch(tmp_path, 300)], lang="en")
    assert page.count('<svg viewBox="0 0 300 1"') == 2
    assert page.count('class="cell') == 0
    assert len(page) < 600_000
    assert re.search(r'aria-label="1 with full marks, \d+ with a part, \d+ with none"', page)


def test_checks_that_ended_the_same_way_stand_together() -> None:
    record = full()
    checks = record["tasks"][0]["checks"]
    checks[1]["id"] = "raised-0"
    checks += [checks[1] | {"id": f"raised-{number}", "possible": 2.0} for number in (1, 2)]
    page = _page(record)
    assert page.count("accuracy 0.41 below 0.9") == 1
    assert "The same in 3 checks" in page
    assert all(f"raised-{number}" in page for number in range(3))
    checks[3]["human"] = HUMAN
    assert _page(record).count("accuracy 0.41 below 0.9") == 3


def test_the_index_keeps_little_of_each_record() -> None:
    """A batch of a thousand needs the memory of a few: each record is read, seen once, and let go."""
    size, count = 1_000_000, 40

    def read() -> Iterator[Json]:
        for number in range(count):
            record = json.loads(json.dumps(full()))
            record["submission"]["id"] = f"s{number}"
            record["tasks"][0]["checks"][0]["output"] = "x" * size
            yield record

    index_page([full()], lang="en")  # the templates are compiled once
    tracemalloc.start()
    try:
        page = index_page(read(), lang="en")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert page.count('<th scope="row" data-value=') == count
    assert peak < count * size / 4
