# ruff: noqa: INP001, T201 -- a script that prints
"""The pictures of docs/img/, from results of a real run: what `make demo` left in out/demo, or another folder.

    python examples/screenshots.py [OUT] [--candidate ID] [--only PICTURE]

Needs the extra dev, and Chromium.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from grader.reports.html.site import write_site
from grader.review.results import find_results

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "img"
MAX_BYTES = 300 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A picture: which page, how it is looked at, and the selector of what comes to the top."""

    name: str
    page: str
    lang: str = "en"
    scheme: str = "light"
    width: int = 1280
    height: int = 900
    top: str = "body"


def shots(candidate: str) -> tuple[Shot, ...]:
    """What the documents show."""
    page = f"{candidate}/index.html"
    return (
        Shot(name="results", page="index.html", height=1040),
        Shot(name="separates", page="index.html", top="#h-heat", height=760),
        Shot(name="candidate", page=page, height=1180),
        Shot(name="answers", page=page, top=".map", height=900),
        Shot(name="candidate-zh-dark", page=page, lang="zh", scheme="dark", width=420, height=860),
    )


def take(browser: Browser, shot: Shot, site: Path) -> None:
    """Writes one picture. Raises SystemExit where it is larger than documents should carry."""
    size = {"width": shot.width, "height": shot.height}
    with browser.new_context(viewport=size, color_scheme=shot.scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto((site / shot.lang / shot.page).as_uri())
        page.locator(shot.top).first.evaluate("(each) => scrollTo({top: each.offsetTop - 16, behavior: 'instant'})")
        target = IMAGES / f"{shot.name}.png"
        page.screenshot(path=target)
    print(f"{target.relative_to(IMAGES.parent.parent)}  {target.stat().st_size // 1024} KiB")
    if target.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{target} is larger than {MAX_BYTES // 1024} KiB")


def main() -> None:
    """Makes the pages in both languages in a folder of its own, then the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, nargs="?", default=Path("out/demo"))
    parser.add_argument("--candidate", default="chen_no_eval", help="whose page is shown")
    parser.add_argument("--only", metavar="PICTURE", help="one of them, e.g. answers")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("install chromium")
    results = find_results(options.out)
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for lang in ("en", "zh"):
            write_site(Path(folder) / lang, results, lang=lang, audience="interviewer")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shot in shots(options.candidate):
            if options.only in {None, shot.name}:
                take(browser, shot, Path(folder))
        browser.close()


if __name__ == "__main__":
    main()
