"""The review page as people use it: a real server, a real browser, keys, two reviewers, narrow and dark screens."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.review.pages import HOSTILE, NO_TASKS, Q02, stored
from tests.review.samples import entries, given

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUICK_MS = 20_000
expect.set_options(timeout=QUICK_MS)


@dataclass
class Served:
    """A running `grader review`."""

    out: Path
    address: str
    process: subprocess.Popen[str]
    troubles: list[str] = field(default_factory=list)
    """What pages said in their consoles: errors of scripts, and what the content policy blocked."""

    def url(self, where: str) -> str:
        """A page of it."""
        return self.address.partition("/?")[0] + where

    def open(self, browser: Browser, **options: Any) -> Page:
        """A window with cookies of its own, let in by the address."""
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(QUICK_MS)
        page.on("console", lambda message: self.troubles.append(message.text) if message.type != "log" else None)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog {dialog.message}"))
        page.goto(self.address)
        return page


def start(out: Path, *options: str) -> Served:
    """Starts the command and waits for its address."""
    command = [sys.executable, "-m", "grader.cli", "review", str(out), "--tasks-dir", str(NO_TASKS), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    watchdog.cancel()
    return Served(out, address, process)


def end(served: Served) -> tuple[int, str]:
    """Ctrl-C; gives the exit code and what was said."""
    served.process.send_signal(signal.SIGINT)
    _, said = served.process.communicate(timeout=20)
    return served.process.returncode, said


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here. A missing one is an error, not a skip, as with the engine."""
    assert CHROMIUM, "install chromium, or leave these tests out with -m 'not browser'"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    """The page over results of two submissions, Bo Li reviewing. No page may have said anything in its console."""
    served = start(stored(tmp_path / "out", "alice", "bob"), "--reviewer", "Bo Li")
    try:
        yield served
        assert served.troubles == []
    finally:
        if served.process.poll() is None:
            assert end(served)[0] == 0


def report_of(served: Served, name: str = "alice") -> Path:
    return served.out / name / "report.json"


def arrive(page: Page, name: str) -> None:
    """Waits for the answer of `name`, and for its keys: the address changes before the page's script has run."""
    expect(page).to_have_url(re.compile(Q02.format(name)))
    page.wait_for_load_state("load")


def test_a_review_by_keys_alone_from_the_queue_to_the_end(served: Served, browser: Browser) -> None:
    page = served.open(browser)
    assert "token" not in page.url
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    arrive(page, "alice")
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Saved: title of why: 1 / 2")
    expect(page.locator("#p2")).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("#p2").get_by_label("Reason")).to_be_focused()
    page.keyboard.type("said it aloud, j k a u")  # keys are text in a field
    page.keyboard.press("Enter")
    arrive(page, "bob")
    assert given(report_of(served)) == {"written/q02/why": 1.0, "written/q02/cost": 2.0}
    page.keyboard.press("u")
    arrive(page, "alice")
    expect(page.get_by_role("status")).to_contain_text("Taken back: title of cost")
    assert given(report_of(served)) == {"written/q02/why": 1.0}
    page.keyboard.press("n")
    arrive(page, "bob")
    page.keyboard.press("A")
    expect(page.get_by_role("status")).to_contain_text("Accepted: title of why, title of cost")
    page.keyboard.press("q")
    expect(page.get_by_text("1 of 2 answers that need a person")).to_be_visible()
    expect(page.get_by_text("1 of 2 decided")).to_be_visible()


def test_keys_move_between_points_mark_their_evidence_and_can_be_turned_off(served: Served, browser: Browser) -> None:
    page = served.open(browser)
    page.goto(served.url(Q02.format("alice")))
    expect(page.locator("mark.current")).to_have_text("clip the norm")
    page.keyboard.press("j")
    expect(page.locator("#p2")).to_be_focused()
    expect(page.locator("mark.current")).to_have_count(0)
    page.keyboard.press("k")
    expect(page.locator("#p1")).to_be_focused()
    page.keyboard.press("o")
    expect(page.get_by_label("Points for").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#p1")).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("accept the machine's points")
    page.get_by_label("Single keys act").uncheck()
    page.get_by_role("button", name="Close").click()
    page.keyboard.press("a")
    page.reload()
    page.keyboard.press("a")
    assert not report_of(served).with_name("review.json").exists()


def test_two_reviewers_at_once_see_each_other_and_lose_nothing(served: Served, browser: Browser) -> None:
    mine, theirs = served.open(browser), served.open(browser)
    theirs.get_by_text("Reviewer Bo Li").click()
    theirs.get_by_label("Your name").fill("Ana María")
    theirs.get_by_role("button", name="Save").click()
    for page in (mine, theirs):
        page.goto(served.url(Q02.format("alice")))
    theirs.keyboard.press("a")
    expect(theirs.get_by_role("status")).to_contain_text("Saved")
    mine.keyboard.press("0")
    mine.keyboard.type("it denies it")
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("alert")).to_contain_text("Somebody else was faster")
    expect(mine.locator("#p1")).to_contain_text("Ana María")
    expect(mine.get_by_label("Reason").first).to_have_value("it denies it")
    assert given(report_of(served)) == {"written/q02/why": 1.0}
    assert ["409" in trouble for trouble in served.troubles] == [True]
    served.troubles.clear()
    mine.keyboard.press("Enter")
    expect(mine.get_by_role("status")).to_contain_text("Saved: title of why: 0 / 2")
    assert [(row["reviewer"], row["points"]) for row in entries(report_of(served))] == [
        ("Ana María", 1.0),
        ("Bo Li", 0.0),
    ]
    theirs.keyboard.press("u")
    expect(theirs.get_by_role("status")).to_contain_text("nothing was taken back")


def test_hostile_text_does_nothing_in_a_browser(tmp_path: Path, browser: Browser) -> None:
    served = start(stored(tmp_path / "out", "alice", answer=HOSTILE), "--reviewer", "<img src=x onerror=alert(3)>")
    page = served.open(browser)
    page.goto(served.url(Q02.format("alice")))
    expect(page.locator(".answer .text")).to_have_text(HOSTILE.replace("norm ", "norm1 "))
    assert page.locator("img").count() == 0
    assert page.evaluate("document.scripts.length") == 1
    page.keyboard.press("a")
    expect(page.get_by_role("status")).to_contain_text("Saved")
    assert served.troubles == []
    assert end(served)[0] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark_with_contrast(served: Served, browser: Browser, scheme: str) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme, "has_touch": True, "is_mobile": True}
    page = served.open(browser, **options)
    for where in ("/", Q02.format("alice"), "/item/alice/toy/contract"):
        page.goto(served.url(where))
        assert page.evaluate("document.documentElement.scrollWidth") == 390, where
        assert page.evaluate(CONTRAST) == [], where
    page.goto(served.url(Q02.format("alice")))
    page.locator("#p1").get_by_role("button", name=re.compile("^half")).tap()
    page.get_by_label("Reason").first.fill("half of it")
    page.get_by_role("button", name="Save").locator("visible=true").tap()
    expect(page.get_by_role("status")).to_contain_text("Saved: title of why: 1 / 2")


def test_a_screen_reader_finds_names_landmarks_and_the_language(served: Served, browser: Browser) -> None:
    page = served.open(browser)
    page.goto(served.url(Q02.format("alice")))
    assert page.evaluate(UNNAMED) == []
    expect(page.get_by_role("main")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    expect(page.get_by_role("article", name="1 title of why")).to_be_visible()
    expect(page.get_by_role("link", name="evidence of point 1")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="作答原文")).to_be_visible()
    assert page.evaluate(UNNAMED) == []


def test_without_scripts_points_can_be_given_too(served: Served, browser: Browser) -> None:
    page = served.open(browser, java_script_enabled=False)
    page.goto(served.url("/item/alice/toy/contract"))
    page.locator("#p3").get_by_label("Points for").fill("1.5")
    page.locator("#p3").get_by_label("Reason").fill("half right")
    page.locator("#p3").get_by_role("button", name="Save").click()
    assert given(report_of(served)) == {"toy/mask": 1.5}


def test_ctrl_c_ends_the_command_cleanly_and_the_port_can_be_chosen(tmp_path: Path) -> None:
    served = start(stored(tmp_path / "out", "alice"))
    port = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{43}", served.address)
    assert port, served.address
    taken = start(served.out, "--port", port[1])
    assert taken.process.wait(20) == 2
    assert taken.process.stderr is not None
    assert "cannot listen on 127.0.0.1" in taken.process.stderr.read()
    taken.process.communicate()
    code, said = end(served)
    assert code == 0
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "grader: the page is closed; decisions are in review.json"
    again = start(served.out, "--port", port[1])
    assert f":{port[1]}/" in again.address
    assert end(again)[0] == 0


# The contrast of every text against the nearest background of its own, by WCAG: 4.5, or 3 for large text.
CONTRAST = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] > 0.99) return color; }
    return [255, 255, 255]; };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, style = getComputedStyle(element);
    const text = walker.currentNode.data.trim();
    if (!text || !element.checkVisibility() || element.closest("kbd, option")) continue;
    const both = [light(parse(style.color)), light(ground(element))];
    const [a, b] = both.sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5))
      bad.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return bad;
}"""
# What can be operated and has no name that a screen reader could say.
UNNAMED = """() => [...document.querySelectorAll(
    "a, button, input:not([type=hidden]), select, summary, dialog, [role=region]")]
  .filter((e) => !(e.labels?.length || e.hasAttribute("aria-label") || e.hasAttribute("aria-labelledby")))
  .filter((e) => !e.textContent.trim())
  .map((e) => e.outerHTML.slice(0, 80))"""
