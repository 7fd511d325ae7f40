"""Pages as people use them: a real browser, keys, narrow and dark screens, paper, and a script that must not run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from grader.reports.html.site import write_site
from tests.reports.html.samples import batch, full, held, with_answer

pytestmark = pytest.mark.browser
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PEOPLE = 30

CONTRAST = """() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = (css) => {
    context.clearRect(0, 0, 1, 1); context.fillStyle = css; context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const channel = (c) => ((c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !node.checkVisibility() || node.closest("svg, .unseen, script")) continue;
    const pair = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${node.className} ${walk.currentNode.data.trim().slice(0, 30)}`);
  }
  return [...new Set(bad)];
}"""
"""Texts with less than 4.5 : 1 against what is behind them (WCAG 2.2, 1.4.3)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests here. A missing one is an error, not a skip, as with the engine."""
    assert CHROMIUM, "install chromium, or leave these tests out with -m 'not browser'"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty people, and one whose record has something in every field."""
    folder = tmp_path_factory.mktemp("site")
    results = [*batch(folder / "out", PEOPLE), held(folder / "out" / "alice", with_answer(full()))]
    write_site(folder / "en", results, lang="en", audience="interviewer")
    write_site(folder / "zh", results, lang="zh", audience="interviewer")
    return folder


@pytest.fixture
def opened(browser: Browser) -> Iterator[Any]:
    """`opened(path, **context)` gives a page that may neither ask for anything nor complain."""
    troubles: list[str] = []

    def check(path: Path, **options: Any) -> Page:
        page = browser.new_context(**options).new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.append(request.url) if _is_foreign(request.url) else None)
        page.goto(path.as_uri())
        return page

    yield check
    assert troubles == []
    for context in browser.contexts:
        context.close()


def _is_foreign(url: str) -> bool:
    return not url.startswith(("file:", "data:"))


def _names(page: Page) -> list[str]:
    return page.locator("#people tbody tr:visible th a").all_inner_texts()


def test_the_table_sorts_by_keys_and_says_how(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "index.html")
    assert _names(page)[:2] == ["Alice 李", "Person 000"]
    total = page.get_by_role("columnheader", name="Total")
    expect(total).to_have_attribute("aria-sort", "descending")
    total.get_by_role("button").focus()
    page.keyboard.press("Enter")
    expect(total).to_have_attribute("aria-sort", "ascending")
    assert _names(page)[-1] in {"Alice 李", "Person 000"}
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("columnheader", name="Candidate")).to_have_attribute("aria-sort", "ascending")
    expect(total).to_have_attribute("aria-sort", "none")
    assert _names(page) == sorted(_names(page))


def test_the_filter_narrows_the_table_and_counts(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "index.html")
    expect(page.get_by_role("status")).to_have_text("31 of 31 shown")
    page.get_by_role("searchbox", name="Find").fill("person 01")
    expect(page.get_by_role("status")).to_have_text("11 of 31 shown")
    page.get_by_role("searchbox", name="Find").fill("nobody like that")
    expect(page.get_by_text("Nobody fits.")).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    page.get_by_label("only with answers to review").check()
    expect(page.get_by_role("status")).to_have_text("1 of 31 shown")
    assert _names(page) == ["Alice 李"]
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("status")).to_have_text("31 of 31 shown")
    page.get_by_label("only with something worth knowing").check()
    assert 0 < len(_names(page)) < PEOPLE


def test_a_strip_names_the_person_under_the_pointer_and_leads_to_the_page(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "index.html", viewport={"width": 1280, "height": 2000})
    strip = page.locator("svg[data-shares]").nth(1)
    box = strip.bounding_box()
    assert box
    page.mouse.move(box["x"] + 2, box["y"] + 5)
    expect(page.locator(".tip")).to_have_text(re.compile(r"Person 000: 100 %|Alice 李: .*"))
    page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 5)
    expect(page).to_have_url(re.compile(r"/c0\d\d/index.html$"))
    page.get_by_role("link", name="All results").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Results")


def test_without_javascript_everything_is_there(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "index.html", java_script_enabled=False)
    assert len(_names(page)) == PEOPLE + 1
    assert not page.locator(".filter").is_visible()
    page.get_by_role("link", name="Person 029").first.click()
    expect(page.get_by_role("heading", name="Where points were lost")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("page_of", ["index.html", "alice/index.html"])
def test_every_text_can_be_read_and_no_page_scrolls_sideways(
    scheme: str, lang: str, page_of: str, site: Path, opened: Any
) -> None:
    page = opened(site / lang / page_of, color_scheme=scheme, viewport={"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    page.set_viewport_size({"width": 1280, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    assert page.evaluate(CONTRAST) == []
    assert page.locator("html").get_attribute("lang") == ("zh-Hans" if lang == "zh" else "en")


def test_a_screen_reader_finds_landmarks_headings_and_names(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "alice" / "index.html")
    for role in ("main", "banner", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)
    assert page.get_by_role("navigation").count() == 2
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    expect(page.get_by_role("img", name="Score: 60 %")).to_be_visible()
    expect(page.get_by_role("img", name="loss")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#main$"))  # following a link takes the browser a moment
    assert page.locator("td, th").evaluate_all("(all) => all.every((each) => each.closest('table').tHead)")


def test_an_answer_opens_where_a_link_leads_to_it(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "alice" / "index.html")
    answer = page.locator("details.answer").first
    answer.locator("summary").click()
    expect(answer).not_to_have_attribute("open", "")
    page.get_by_role("list", name="Questions").get_by_role("link").first.click()
    expect(answer).to_have_attribute("open", "")


def test_a_script_that_came_in_does_not_run(site: Path, browser: Browser) -> None:
    """Even if escaping failed: the policy knows no script, style or address but the page's own."""
    source = (site / "en" / "alice" / "index.html").read_text(encoding="utf-8")
    attack = (
        "<script>document.title = 'owned'</script><img src='x' onerror=\"document.title = 'owned'\">"
        "<img src='https://example.invalid/x'><style>h1 {color: red}</style>"
        "<a id=j href=\"javascript:document.title='owned'\">j</a>"
        "<base href='https://example.invalid/'>"
    )
    target = site / "attacked.html"
    target.write_text(source.replace("<main", attack + "<main", 1), encoding="utf-8")
    page = browser.new_context().new_page()
    answered: list[str] = []
    failed: set[str | None] = set()
    blocked: list[str] = []
    page.on("requestfinished", lambda request: answered.append(request.url))
    page.on("requestfailed", lambda request: failed.add(request.failure))
    page.on("console", lambda message: blocked.append(message.text))
    page.goto(target.as_uri())
    page.click("#j")
    assert page.title() != "owned"
    assert page.locator("h1").evaluate("(each) => getComputedStyle(each).color") != "rgb(255, 0, 0)"
    assert (answered, failed) == ([target.as_uri()], {"csp"})
    assert sum("Content Security Policy" in text for text in blocked) >= 5


def test_paper_shows_what_was_folded_and_no_controls(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "alice" / "index.html", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not(.keep):not([open])").count() == 0
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("body").evaluate("(each) => getComputedStyle(each).backgroundColor") == "rgb(251, 251, 249)"
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    index = opened(site / "en" / "index.html")
    index.emulate_media(media="print")
    assert not index.locator(".filter").is_visible()
    assert index.locator(".sort").first.evaluate("(each) => getComputedStyle(each).display") == "contents", (
        "a button would leave the head of the table's next pages empty"
    )


def test_on_a_phone_the_title_of_a_wide_table_stays_in_sight(site: Path, opened: Any) -> None:
    page = opened(site / "en" / "index.html", viewport={"width": 390, "height": 844})
    box = page.locator(".heat caption > div").first
    assert box.evaluate("each => each.getBoundingClientRect().right") <= 390
    page.locator(".scroll").filter(has=page.locator(".heat")).first.evaluate("each => { each.scrollLeft = 60; }")
    assert 0 <= box.evaluate("each => each.getBoundingClientRect().left") <= 30
