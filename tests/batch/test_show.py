"""What a person sees: plain lines in a log, a table on a terminal, nothing with --quiet."""

from __future__ import annotations

import io

import pytest

from grader.batch.show import Lines, Live, Nothing, Tally, duration, make_show
from grader.batch.unit import Opinion
from grader.model import Score
from grader.runners.protocol import Slot
from grader.store import JobRow
from tests.samples import check

SLOT = Slot(number=0)
GRADED = JobRow(id="ada", source="ada", state="graded", percent=80.0)


def play(show: Lines) -> None:
    """A short batch."""
    show.started(SLOT, "ada", "toy")
    show.told(SLOT, check("a"))
    show.told(SLOT, Opinion(question="q01", point="p"))
    show.ended(SLOT, 2.0)
    show.settled(GRADED, {"toy": Score(earned=8, possible=10)})
    show.settled(JobRow(id="bo", source="bo", state="rejected", reason="a link\x1b[31m"), {})
    show.retry("cy", "toy", "the engine is gone", 2.0)
    show.kept(GRADED)


def test_what_candidates_may_read_does_not_say_why_we_failed(capsys: pytest.CaptureFixture[str]) -> None:
    show = make_show(2, 1, quiet=False, public=True)
    show.retry("ada", "toy", "hidden line 7", 2)
    show.settled(JobRow(id="ada", source="ada", state="ungraded", reason="hidden line 7"), {})
    show.settled(JobRow(id="eve", source="eve.zip", state="rejected", reason="it is a link"), {})
    err = capsys.readouterr().err
    assert "hidden line 7" not in err
    assert err.count("for a reason of ours") == 2
    assert "it is a link" in err


def test_a_log_has_a_line_for_each_submission(capsys: pytest.CaptureFixture[str]) -> None:
    play(Lines(12, 2))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "[ 1/12] ada: 80 % (toy 80)",
        "[ 2/12] bo: rejected: a link",
        "cy: toy: the engine is gone; again in 2 s",
    ]


@pytest.mark.parametrize("public", [False, True])
def test_what_is_wrong_with_the_machine_is_said_to_whoever_runs_it(
    capsys: pytest.CaptureFixture[str], *, public: bool
) -> None:
    show = make_show(2, 1, quiet=False, public=public)
    show.started(Slot(number=0), "ada", "toy")
    show.told(Slot(number=0), "GPU 0 is set aside\x1b[2J")
    assert ("GPU 0 is set aside" in capsys.readouterr().err) is not public


def test_quiet_prints_nothing_and_counts_all(capsys: pytest.CaptureFixture[str]) -> None:
    show = make_show(3, 1, quiet=True)
    play(show)
    assert isinstance(show, Nothing)
    assert capsys.readouterr() == ("", "")
    assert show.tally.counts == {"graded": 2, "rejected": 1}
    assert show.tally.stored == 1


def test_a_terminal_shows_what_runs_where(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    show = Live(3, 2)
    show.started(SLOT, "ada", "toy")
    show.told(SLOT, check("a"))
    screen = io.StringIO()
    Console(file=screen, width=80, force_terminal=False).print(show._table())
    text = screen.getvalue()
    assert "slot 1  ada  toy  1 checks, 1 passed" in text
    assert "slot 2  -" in text
    assert "0 of 3" in text


def test_time_left_is_worked_out_from_what_was_graded_here() -> None:
    tally = Tally(10, 2)
    tally.add(GRADED, stored=True)
    assert tally.left_s() is None
    for _ in range(3):
        tally.worked(30.0)
        tally.add(GRADED, stored=False)
    assert tally.left_s() == pytest.approx(6 * 30 / 2)
    assert tally.words() == "4 of 10: 4 graded; mean 80.0 %; about 90 s left"


@pytest.mark.parametrize(("seconds", "words"), [(5, "5 s"), (600, "10 min"), (11100, "3 h 05 min")])
def test_durations_are_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words
