"""Makes docs/img/review.png: a real grading of a sample's written answers, reviewed in a real browser.

python docs/img/review.py            # needs the extra dev, and Chromium
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
SAMPLES = ("chen_no_eval", "yuki_written")
GRADER = (sys.executable, "-m", "grader.cli")


def shoot(out: Path, target: Path) -> None:
    """Grades the samples' written answers into `out`, decides one point, and takes the picture."""
    for name in SAMPLES:
        sample = ROOT / "candidates" / name
        report = out / name / "report.json"
        subprocess.run([*GRADER, "grade", sample, "--task", "written", "-o", report, "--quiet"], check=True, cwd=ROOT)
    command = [*GRADER, "review", str(out), "--reviewer", "Bo Li"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        try:
            _picture(server.stdout.readline().strip(), target)
        finally:
            server.send_signal(signal.SIGINT)


def _picture(address: str, target: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 860}, color_scheme="light")
        page.goto(address)
        page.locator("[data-item]").first.click()
        page.wait_for_url("**/item/**")
        page.keyboard.press("a")
        page.wait_for_url("**#p2")
        page.keyboard.press("1")
        page.keyboard.type("names it, but not what follows from it")
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=target)
        browser.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        shoot(Path(folder), ROOT / "docs/img/review.png")
