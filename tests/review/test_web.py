"""The review page: what is asked first, what a reviewer sees, what a decision writes, and that nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.reports.as_json import read_report, write_report
from grader.reports.passages import MODEL, OFFLINE, Span, pieces_of, spans_of
from grader.review.record import Addition, add_overrides, review_path
from grader.review.web import saving
from grader.review.web.items import Choice, items_of, next_open
from grader.review.web.shelf import Shelf
from grader.review.web.words import WORDS
from tests.review.pages import ANSWER, HOSTILE, Q02, TASKS, Site, site, stored, with_answer
from tests.review.samples import entries, given, store


@pytest.fixture
def page(tmp_path: Path) -> Site:
    """The page over results of two submissions."""
    return site(stored(tmp_path / "out", "alice", "bob"))


def report_of(page: Site, name: str = "alice") -> Path:
    return page.out / name / "report.json"


def test_answers_that_need_a_person_come_first_then_doubts_then_the_rest(page: Site) -> None:
    items = items_of(Shelf(page.out).results())
    assert [item.key for item in items[:2]] == [("alice", "written", "q02"), ("bob", "written", "q02")]
    assert [item.key[1:] for item in items[2:]] == [("written", "q01")] * 2 + [("toy", "contract")] * 2
    assert items[0].reasons == ("stuffed", "low_confidence", "disagreement")
    text = page.browser().get("/")
    assert text.index("Needs a person") < text.index("Not reviewed")
    assert "0 of 2 answers that need a person are reviewed" in text
    assert "key words without statements" in text


def test_the_queue_can_be_narrowed_to_a_candidate_a_question_and_a_state(page: Site) -> None:
    browser = page.browser()

    def links(query: str) -> list[str]:
        return re.findall(r'href="/item/([^"?]+)', browser.get("/" + query))

    assert links("?candidate=bob") == ["bob/written/q02", "bob/written/q01", "bob/toy/contract"]
    assert links("?question=written/q01") == ["alice/written/q01", "bob/written/q01"]
    assert links("?state=review&candidate=alice") == ["alice/written/q02"]
    assert links("?state=done") == []
    assert len(links("?state=nonsense")) == 6
    assert "?candidate=bob" in browser.get("/item/bob/written/q02?candidate=bob").split('rel="next"')[1][:200]


def test_the_answer_stands_beside_its_points_with_the_evidence_marked(page: Site) -> None:
    text = page.browser().get(Q02.format("alice"))
    assert re.search(r'First we <mark class="offline v-partial" data-points="1">clip the norm</mark>', text)
    assert "&lt;b&gt;we&lt;/b&gt; wait." in text
    for words in (
        "title of why",
        "Offline grader",
        "partly",
        "1 of 2 parts found",
        "Language model",
        "it is not there",
    ):
        assert words in text
    assert "The two disagree" in text
    assert "Accept 1 " in text


def test_what_alone_earns_a_point_is_shown_where_the_tasks_are(tmp_path: Path) -> None:
    report = read_report(store(tmp_path / "out"))
    question = report.tasks[1].questions[0]
    point = replace(question.points[0], id="memory_compute")
    task = replace(report.tasks[1], questions=(replace(question, points=(point,), answer=ANSWER),))
    write_report(replace(report, tasks=(task,)), tmp_path / "out/alice/report.json")
    where = "/item/alice/written/q01"
    with_tasks = site(tmp_path / "out", tasks_dir=TASKS).browser().get(where)
    assert "Weights, gradients, optimizer states and activations do not fit on one GPU" in with_tasks
    assert "What problems commonly occur when training large models" in with_tasks
    assert "The rubric has changed" in with_tasks
    without = site(tmp_path / "out").browser().get(where)
    assert "Weights, gradients" not in without


def test_accepting_is_kept_with_who_and_when_and_leads_to_the_next_point(page: Site) -> None:
    browser = page.browser()
    response = browser.post(Q02.format("alice"), act="accept", row="1")
    assert response.headers["Location"] == Q02.format("alice") + "#p2"
    assert "Saved: title of why: 1 / 2" in browser.after(response)
    (row,) = entries(report_of(page))
    assert (row["question"], row["point"], row["points"], row["machine"]) == ("q02", "why", 1.0, 1.0)
    assert (row["reviewer"], row["reason"]) == ("Bo Li", "accepted the machine's points")
    assert row["at"].endswith("+00:00")


def test_overruling_takes_points_and_a_reason_and_the_report_has_both_scores(page: Site) -> None:
    browser = page.browser()
    browser.after(browser.give(Q02.format("alice"), 1, "1,5", "  said it\naloud "))
    assert entries(report_of(page))[0]["reason"] == "said it aloud"
    text = browser.get(Q02.format("alice"))
    assert re.search(r"<s class=\"quiet\">.*1</s> <strong>1.5</strong> / 2", text)
    assert "“<bdi>said it aloud</bdi>”" in text
    assert "1.5 / 4" in text


def test_code_checks_can_be_overruled_too(page: Site) -> None:
    browser = page.browser()
    text = browser.get("/item/alice/toy/contract")
    assert "wrong answer" in text
    assert "differs by 0.5" in text
    browser.after(browser.give("/item/alice/toy/contract", 3, "3.33", "the suite was too strict"))
    assert given(report_of(page)) == {"toy/mask": 3.33}
    assert Shelf(page.out).results()[0].view["tasks"][0]["reviewed_score"]["earned"] == 10.0


def test_all_open_points_are_accepted_at_once_and_then_comes_the_next_answer(page: Site) -> None:
    browser = page.browser()
    browser.give(Q02.format("alice"), 1, "2", "fine")
    response = browser.post(Q02.format("alice"), act="accept all", row="0")
    assert response.headers["Location"] == Q02.format("bob")
    assert given(report_of(page)) == {"written/q02/why": 2.0, "written/q02/cost": 0.0}
    assert "1 of 2 answers that need a person are reviewed" in browser.get("/")
    browser.after(browser.post(Q02.format("bob"), act="accept all", row="0"))
    assert "2 of 2 answers that need a person are reviewed" in browser.get("/")


def test_the_last_answer_of_a_filter_leads_back_to_the_queue(page: Site) -> None:
    browser = page.browser()
    where = Q02.format("alice") + "?candidate=alice&state=review"
    text = browser.after(browser.post(where, act="accept all", row="0"))
    assert "All answers that need a person are reviewed." in text
    assert "<h1>Queue</h1>" in text


@pytest.mark.parametrize(
    ("row", "points", "reason", "problem"),
    [
        ("1", "2.5", "more", "a number from 0 to 2"),
        ("1", "-1", "less", "a number from 0 to 2"),
        ("1", "two", "words", "a number from 0 to 2"),
        ("1", "nan", "nan", "a number from 0 to 2"),
        ("1", "1", " \u200b", "a reason has 1 to 2000"),
        ("1", "1", "x" * 2001, "a reason has 1 to 2000"),
        ("9", "1", "where", "names no point"),
        ("²", "1", "where", "names no point"),
    ],
)
def test_what_cannot_be_saved_is_said_and_stays_in_the_form(
    page: Site, row: str, points: str, reason: str, problem: str
) -> None:
    browser = page.browser()
    response = browser.post(Q02.format("alice"), act="give", row=row, points=points, reason=reason)
    assert response.status_code == 422
    assert problem in response.text
    assert row != "1" or f'name="reason" maxlength="2000" autocomplete="off" required value="{reason}"' in response.text
    assert not review_path(report_of(page)).exists()


def test_undo_takes_back_ones_own_last_decision_step_by_step(page: Site) -> None:
    browser, where = page.browser(), Q02.format("alice")
    browser.give(where, 1, "2", "first")
    browser.give(where, 1, "0.5", "second")
    browser.post(where, act="accept all", row="0")
    assert given(report_of(page)) == {"written/q02/why": 0.5, "written/q02/cost": 0.0}
    states = []
    for _ in range(3):
        browser.after(browser.post("/undo", browser.form()))
        states.append(given(report_of(page)))
    assert states == [{"written/q02/why": 0.5}, {"written/q02/why": 2.0}, {}]
    assert "Nothing to undo." in browser.after(browser.post("/undo", browser.form()))
    assert len(entries(report_of(page))) == 6  # everything that was decided is still there to read


def test_undo_never_takes_back_what_a_colleague_decided_since(page: Site) -> None:
    mine, theirs, where = page.browser(), page.browser(), Q02.format("alice")
    mine.give(where, 1, "2", "mine")
    theirs.post("/settings", theirs.form(), reviewer="Ana")
    theirs.give(where, 1, "0", "theirs")
    assert "nothing was taken back" in mine.after(mine.post("/undo", mine.form()))
    assert given(report_of(page)) == {"written/q02/why": 0.0}


def test_a_decision_can_be_taken_back_and_the_one_before_it_counts_again(page: Site) -> None:
    browser, where = page.browser(), Q02.format("alice")
    browser.give(where, 1, "2", "first")
    browser.give(where, 1, "0", "second")
    text = browser.after(browser.post(where, act="take back", row="1"))
    assert "“<bdi>first</bdi>”" in text
    assert "History (3)" in text
    assert given(report_of(page)) == {"written/q02/why": 2.0}


def test_of_two_reviewers_the_later_one_sees_the_conflict_and_loses_nothing(page: Site) -> None:
    mine, theirs, where = page.browser(), page.browser(), Q02.format("alice")
    theirs.post("/settings", theirs.form(), reviewer="Ana")
    seen = mine.form(where)
    theirs.give(where, 1, "0", "Ana was faster")
    response = mine.give(where, 1, "2", "my own reason", seen)
    assert response.status_code == 409
    for words in ("Somebody else was faster", "Ana was faster", 'value="my own reason"', "2 / 2, “my own reason”"):
        assert words in response.text
    assert given(report_of(page)) == {"written/q02/why": 0.0}
    again = {
        "form": seen["form"],
        "run": seen["run"],
        "seen": re.findall(r'name="seen" value="([^"]*)"', response.text)[0],
    }
    mine.after(mine.give(where, 1, "2", "my own reason", again))
    assert [row["reviewer"] for row in entries(report_of(page))] == ["Ana", "Bo Li"]


def test_reviewers_of_different_points_do_not_disturb_each_other(page: Site) -> None:
    mine, theirs, where = page.browser(), page.browser(), Q02.format("alice")
    seen = mine.form(where)
    theirs.give(where, 1, "0", "first point")
    mine.after(mine.give(where, 2, "2", "second point", seen))
    assert given(report_of(page)) == {"written/q02/why": 0.0, "written/q02/cost": 2.0}


def test_accepting_all_that_a_colleague_began_to_decide_writes_nothing(
    page: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The colleague's entry comes between reading and writing, so only the check under the lock can see it."""
    mine, theirs, where = page.browser(), page.browser(), Q02.format("alice")
    write = add_overrides

    def late(additions: Mapping[Path, Addition]) -> None:
        monkeypatch.setattr(saving, "add_overrides", write)
        theirs.give(where, 1, "0", "in between")
        write(additions)

    monkeypatch.setattr(saving, "add_overrides", late)
    response = mine.post(where, act="accept all", row="0")
    assert response.status_code == 409
    assert "Nothing of yours was saved" in response.text
    assert given(report_of(page)) == {"written/q02/why": 0.0}


def test_a_button_pressed_twice_decides_once(page: Site) -> None:
    browser, where = page.browser(), Q02.format("alice")
    seen = browser.form(where)
    for _ in range(2):
        browser.after(browser.give(where, 1, "2", "twice", seen))
    assert len(entries(report_of(page))) == 1


def test_a_submission_graded_again_meanwhile_is_looked_at_again(page: Site) -> None:
    browser, where = page.browser(), Q02.format("alice")
    seen = browser.form(where)
    report = read_report(report_of(page))
    write_report(replace(report, run=replace(report.run, id="r2")), report_of(page))
    response = browser.give(where, 1, "2", "about the old one", seen)
    assert response.status_code == 409
    assert "graded again" in response.text
    assert not review_path(report_of(page)).exists()


@pytest.mark.parametrize("seen", ["", "x", "0", "0,0,0", "-1,-1", "999999999999,0", "²,0"])
def test_a_form_that_does_not_say_what_was_seen_changes_nothing(page: Site, seen: str) -> None:
    browser, where = page.browser(), Q02.format("alice")
    response = browser.post(where, browser.form(where) | {"seen": seen}, act="accept", row="1")
    assert response.status_code == 409
    assert not review_path(report_of(page)).exists()


def test_what_others_write_is_seen_at_the_next_look(page: Site) -> None:
    browser = page.browser()
    browser.get("/")
    other = site(page.out, reviewer="Ana").browser()
    other.post(Q02.format("alice"), act="accept all", row="0")
    assert "1 of 2 answers" in browser.get("/")
    stored(page.out, "carol")
    assert "1 of 3 answers" in browser.get("/")


def test_without_a_name_nothing_is_decided_and_the_page_asks_for_it(tmp_path: Path) -> None:
    page = site(stored(tmp_path / "out", "alice"), reviewer="")
    browser, where = page.browser(), Q02.format("alice")
    text = browser.get(where)
    assert "Say who you are" in text
    assert 'value="accept"' not in text
    assert browser.post(where, {**browser.form(), "run": "r1", "seen": "0,0"}, act="accept", row="1").status_code == 409
    assert browser.client.post("/settings", data=browser.form() | {"reviewer": " \u200b"}).status_code == 400
    browser.after(browser.post("/settings", browser.form(), reviewer="  Ana\u202e María ", here=where))
    browser.after(browser.post(where, act="accept", row="1"))
    assert entries(report_of(page))[0]["reviewer"] == "Ana María"


def test_everything_that_a_candidate_wrote_is_text(tmp_path: Path) -> None:
    stored(tmp_path / "out", "alice", answer=HOSTILE)
    report = read_report(tmp_path / "out/alice/report.json")
    name = replace(report.submission, candidate=HOSTILE[:150])
    code = report.tasks[0]
    checks = tuple(replace(check, message=HOSTILE, output=HOSTILE) for check in code.checks)
    write_report(
        replace(report, submission=name, tasks=(replace(code, checks=checks), report.tasks[1])),
        tmp_path / "out/alice/report.json",
    )
    browser = site(tmp_path / "out").browser()
    browser.give(Q02.format("alice"), 1, "1", HOSTILE)
    for where in ("/", Q02.format("alice"), "/item/alice/toy/contract"):
        text = browser.get(where)
        assert "<img" not in text
        assert text.count("<script") == 1  # ours
        assert str(4321 * 4321) not in text
        assert "style=" not in text
        assert not re.search(r"\son\w+=", re.sub(r"&#34;|onerror=alert", "", text))


def test_an_older_report_without_answers_is_reviewed_by_its_quotes(tmp_path: Path) -> None:
    store(tmp_path / "out")
    text = site(tmp_path / "out").browser().get(Q02.format("alice"))
    assert "The report does not hold the text" in text
    assert "clip the norm" in text


def test_the_page_speaks_chinese(page: Site) -> None:
    browser = page.browser()
    text = browser.after(browser.post("/settings", browser.form(), lang="zh", here=Q02.format("alice")))
    for words in ('lang="zh-CN"', "作答原文", "why的标题", "离线评分", "部分满足", "两者结论不一致"):
        assert words in text
    assert "需人工复核" in browser.get("/")


def test_both_languages_have_the_same_words_with_the_same_blanks() -> None:
    english, chinese = WORDS["en"], WORDS["zh"]
    assert english.keys() == chinese.keys()
    for name, text in english.items():
        assert sorted(re.findall(r"\{\w*\}", text)) == sorted(re.findall(r"\{\w*\}", chinese[name])), name


def test_evidence_is_found_by_offset_else_by_its_words_and_what_is_not_there_is_left_out() -> None:
    point = {"verdict": "met", "llm": {"evidence": [{"quote": "b", "start": 9, "end": 10}]}}
    evidence = [
        {"quote": "b", "start": 3, "end": 4},
        {"quote": "zz", "start": 0, "end": 2},
        {"quote": "", "start": 0, "end": 0},
    ]
    spans = spans_of({"answer": "abcb", "points": [point | {"evidence": evidence}]})
    assert [(span.start, span.end, span.by) for span in spans] == [(3, 4, OFFLINE), (1, 2, MODEL)]


def test_pieces_joined_are_the_answer_and_overlaps_name_all_their_points() -> None:
    spans = [
        Span(start=0, end=4, point=1, by=OFFLINE),
        Span(start=2, end=6, point=2, by=MODEL),
        Span(start=2, end=4, point=3, by=OFFLINE),
    ]
    pieces = pieces_of("abcdefgh", spans)
    assert "".join(piece.text for piece in pieces) == "abcdefgh"
    assert [(piece.text, piece.points, piece.ends) for piece in pieces] == [
        ("ab", (1,), ()), ("cd", (1, 3, 2), (1, 3)), ("ef", (2,), (2,)), ("gh", (), ()),
    ]  # fmt: skip


def test_next_open_begins_again_at_the_start_and_prefers_what_needs_a_person(page: Site) -> None:
    items = Shelf(page.out).items()
    assert next_open(items, items[-1]) is items[0]
    assert next_open([item for item in items if Choice(state="open").takes(item)], items[0]) is items[2]
    assert next_open([items[0]], items[0]) is None


def test_results_are_read_again_only_where_a_file_changed(page: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(page.out)
    first = shelf.results()
    assert all(a is b for a, b in zip(first, shelf.results(), strict=True))
    with_answer(report_of(page, "bob"), "another")
    again = shelf.results()
    assert again[0] is first[0]
    assert again[1].record["tasks"][1]["questions"][0]["answer"] == "another"


def test_two_submissions_of_one_id_are_refused_as_on_the_command_line(page: Site) -> None:
    (page.out / "bob").rename(page.out / "zed")
    stored(page.out, "zed")
    (page.out / "more").mkdir()
    (page.out / "more" / "report.json").write_bytes(report_of(page).read_bytes())
    with pytest.raises(UsageError, match="are both of alice"):
        Shelf(page.out)


def test_a_review_that_cannot_be_read_is_said_in_one_line(page: Site) -> None:
    browser = page.browser()
    review_path(report_of(page)).write_text("{}", "utf-8")
    response = browser.client.get("/")
    assert response.status_code == 400
    assert "is not a review" in response.text


def test_a_place_that_is_not_there_is_said(page: Site) -> None:
    browser = page.browser()
    for where in ("/item/alice/written/q99", "/item/nobody/written/q01", "/elsewhere"):
        response = browser.client.get(where)
        assert response.status_code == 404
        assert "Back to the queue" in response.text
